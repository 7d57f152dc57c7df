"""Who may do what: everybody reads, the staff writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views imports this file
    from rest_framework.views import APIView


class ReadOrStaff(BasePermission):
    """Reads are anonymous; anything that writes needs a staff account (token or session)."""

    message = "Writing needs a staff account: send a token (Authorization: Token ...) or sign in."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS or not hasattr(view, (request.method or "").lower()):
            return True  # what a resource cannot do at all is 405 for everybody, not a question of who asks
        return bool(request.user and request.user.is_staff)
