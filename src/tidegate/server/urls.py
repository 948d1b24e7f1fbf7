"""Which page stands at which address."""

from django.urls import path

from tidegate.ui.pages import nothing_here
from tidegate.ui.pages.status import status

urlpatterns = [path("", status, name="status")]

handler404 = nothing_here.not_found
handler500 = nothing_here.broken
