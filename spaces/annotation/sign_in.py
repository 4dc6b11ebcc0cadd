"""Sign-in with Hugging Face on the Hub, by Gradio's own routes (/login/huggingface, /login/callback).

Gradio attaches them by itself where a page of Blocks has a LoginButton. A server with its own page has none, so they
are attached here; the cookie and its name are Gradio's.
"""

import os
import time

from fastapi import FastAPI, Request


def attach(app: FastAPI) -> bool:
    """Add the routes where the Hub offers sign-in (`hf_oauth: true` in the card); returns whether it does."""
    if not os.environ.get("SPACE_ID") or not os.environ.get("OAUTH_CLIENT_ID"):
        return False
    from gradio.oauth import attach_oauth

    attach_oauth(app)
    return True


def hub_user(request: Request) -> str | None:
    """The Hub's name of whoever signed in; None where nobody did.

    Only requests of this page count: other sites cannot add the header without being asked for it by the browser.
    """
    if "session" not in request.scope or request.headers.get("x-from") != "page":
        return None
    signed = request.session.get("oauth_info", {})
    name = signed.get("userinfo", {}).get("preferred_username")
    return str(name) if name and signed.get("expires_at", 0) > time.time() else None
