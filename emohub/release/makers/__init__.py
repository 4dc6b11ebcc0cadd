"""How each kind of repo is made, one module per kind; `registry` lists them."""
