"""Which page stands at which address."""

from django.urls import include, path

from tidegate.ui.pages import nothing_here

urlpatterns = [path("api/", include("tidegate.api.app")), path("", include("tidegate.ui.urls"))]

handler404 = nothing_here.not_found
handler500 = nothing_here.broken
