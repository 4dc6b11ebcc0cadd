"""An OpenID provider on 127.0.0.1 with the Hub's routes: discovery, authorization with a code, a signed id token.

https://huggingface.co/docs/hub/oauth lists the Hub's; whoever comes is signed in as `user` at once.
"""

import secrets
import time
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import RedirectResponse
from joserfc import jwt
from joserfc.jwk import RSAKey


class Provider:
    """One client, one user.

    Attributes:
        url: Its address, once it runs.
        user: Who signs in.
        lasts: Seconds that a sign-in lasts.
        app: The server.
    """

    ID, SECRET = "the-space", "its secret"

    def __init__(self, user: str):
        self.url, self.user, self.lasts = "", user, 3600
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.codes: dict[str, dict[str, str]] = {}
        self.app = FastAPI()
        self.app.get("/.well-known/openid-configuration")(self._about)
        self.app.get("/oauth/jwks")(lambda: {"keys": [self.key.as_dict(private=False)]})
        self.app.get("/oauth/authorize")(self._authorize)
        self.app.post("/oauth/token")(self._token)

    def _about(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/oauth/authorize",
            "token_endpoint": f"{self.url}/oauth/token",
            "jwks_uri": f"{self.url}/oauth/jwks",
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _authorize(self, request: Request) -> RedirectResponse:
        asked = dict(request.query_params)
        if asked["client_id"] != self.ID or asked["response_type"] != "code":
            raise HTTPException(400, "no such client")
        code = secrets.token_urlsafe()
        self.codes[code] = asked
        glue = "&" if "?" in asked["redirect_uri"] else "?"
        return RedirectResponse(f"{asked['redirect_uri']}{glue}{urlencode({'code': code, 'state': asked['state']})}")

    async def _token(self, request: Request) -> dict[str, Any]:
        form = await request.form()
        asked = self.codes.pop(str(form["code"]), None)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            raise HTTPException(400, "no such code")
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.ID, "sub": "1", "iat": now, "exp": now + self.lasts}
        claims |= {"nonce": asked["nonce"], "preferred_username": self.user}
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return {"access_token": "of no use", "token_type": "bearer", "expires_in": self.lasts, "id_token": token}
