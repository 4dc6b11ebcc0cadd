"""Authentication and permissions; the clients map these errors to exceptions of their own."""

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, HTTPException, Request

from tests.hub_server.store import Commit, Hub, Repo


def error(code: str, message: str, status: int = 404) -> HTTPException:
    return HTTPException(status, message, {"X-Error-Code": code})  # the clients choose their exception by this code


def hub_of(request: Request) -> Hub:
    return request.app.state.hub


def user_of(request: Request) -> str | None:
    """The user whose token the request carries, None if anonymous."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if not kind:
        return None
    if (user := hub_of(request).tokens.get(token)) is None:
        raise HTTPException(401, "Invalid credentials in Authorization header")
    return user


HubOf = Annotated[Hub, Depends(hub_of)]
User = Annotated[str | None, Depends(user_of)]


def repo_of(hub: HubOf, user: User, org: str, name: str, kind: str = "models") -> Repo:
    """A visible repo: a private one is not found without access."""
    repo = hub.repos.get(f"{kind}/{org}/{name}")
    if repo is None or (repo.private and not hub.may_read(user, repo)):
        served = ", ".join(key for key, repo in hub.repos.items() if not repo.private) or "none"
        raise error("RepoNotFound", f"No repository {kind}/{org}/{name}; served here: {served}")
    return repo


RepoOf = Annotated[Repo, Depends(repo_of)]


def commit_of(repo: RepoOf, rev: str = "main") -> Commit:
    found = repo.find(unquote(rev))
    if found is None:
        raise error("RevisionNotFound", f"Invalid rev id: {unquote(rev)}; valid: {', '.join(repo.refs)}")
    return found


def content_of(repo: RepoOf, hub: HubOf, user: User) -> Repo:
    """A repo whose files may be read."""
    if not hub.may_read(user, repo):
        raise error("GatedRepo", f"Access to {repo.id} is restricted; accept its terms first.", 403 if user else 401)
    return repo


def writable(hub: HubOf, user: User, repo: RepoOf) -> Repo:
    """A repo that the user may write to."""
    may(hub, user, repo.owner)
    return repo


def may(hub: Hub, user: str | None, namespace: str) -> None:
    if user is None:
        raise HTTPException(401, "You must be logged in to do this.")
    if not hub.may_write(user, namespace):
        raise HTTPException(403, f"You don't have the rights to write under the namespace {namespace!r}")


CommitOf = Annotated[Commit, Depends(commit_of)]
Content = Annotated[Repo, Depends(content_of)]
Writable = Annotated[Repo, Depends(writable)]
