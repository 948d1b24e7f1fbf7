"""The page that makes the first administrator; gone as soon as there is one."""

from __future__ import annotations

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from pydantic import SecretStr

from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.setup import is_set_up, set_up
from tidegate.config import load_settings
from tidegate.ui.account import address_of


class SetUpForm(forms.Form):
    """What the first administrator is asked."""

    code = forms.CharField(max_length=100, help_text="As the terminal or log shows it.")
    name = forms.CharField(max_length=150, label="Your name", help_text="You log in with it.")
    password = forms.CharField(
        max_length=1000, strip=False, widget=forms.PasswordInput, help_text="12 characters or more."
    )
    again = forms.CharField(max_length=1000, strip=False, widget=forms.PasswordInput, label="Password again")

    def clean(self) -> dict[str, str]:
        """Refuses a password that was not typed the same twice."""
        given = self.cleaned_data
        if given.get("password") != given.get("again"):
            self.add_error("again", "That is another password than the one above.")
        return given


@sensitive_post_parameters("code", "password", "again")
def setup(request: HttpRequest) -> HttpResponse:
    """Asks for the code, a name and a password; not there where somebody is administrator."""
    if is_set_up():
        raise Http404
    form = SetUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        password = SecretStr(given["password"])
        try:
            set_up(load_settings(), given["code"], given["name"], password, address_of(request))
        except NotThere as gone:
            raise Http404 from gone
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            return redirect("account_login")
    return render(request, "setup/page.html", {"form": form}, status=400 if form.errors else 200)
