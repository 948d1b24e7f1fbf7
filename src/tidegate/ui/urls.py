"""The pages, and at which address each stands. Of allauth's views only those that are used here are there at all."""

from __future__ import annotations

from typing import Any

from allauth.account import views as people
from allauth.mfa.base import views as second_factor
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.views.generic import TemplateView

from tidegate.ui.account import changing
from tidegate.ui.pages import (
    connection,
    connector,
    delivery,
    find,
    finding,
    operation,
    product,
    record,
    rule,
    setting,
    step,
)
from tidegate.ui.pages.account import account
from tidegate.ui.pages.second_factor import activate_app
from tidegate.ui.pages.setup import setup
from tidegate.ui.pages.sign_on import begin, button, come_back
from tidegate.ui.pages.status import status
from tidegate.ui.pages.styleguide import styleguide


def nothing(request: HttpRequest, **_: Any) -> HttpResponse:
    """What allauth names and is not here: signing up, mail."""
    raise Http404


urlpatterns = [
    path("", status, name="status"),
    path("connections/<int:connection_id>/", connection.connection, name="connection"),
    path("connections/<int:connection_id>/discover", connection.discover, name="discover_connection"),
    path("connections/<int:connection_id>/sync", connection.sync, name="sync_connection"),
    path("connections/<int:connection_id>/pause", connection.pause, name="pause_connection"),
    path("connections/<int:connection_id>/resume", connection.resume, name="resume_connection"),
    path("inbox/", record.inbox, name="inbox"),
    path("records/decide", record.decide, name="decide_records"),
    path("records/products", record.options, name="product_options"),
    path("records/<int:record_id>/", record.record, name="record"),
    path("records/<int:record_id>/edit", record.edit, name="edit_record"),
    path("records/<int:record_id>/preview", record.preview_sync, name="preview_record"),
    path("operations/", operation.operations, name="operations"),
    path("operations/<int:operation_id>/", operation.operation, name="operation"),
    path("operations/<int:operation_id>/log", operation.download_log, name="operation_log"),
    path("operations/<int:operation_id>/cancel", operation.cancel, name="cancel_operation"),
    path("operations/<int:operation_id>/approve", operation.approve, name="approve_operation"),
    path("operations/<int:operation_id>/keep-open", operation.keep_open, name="keep_open_operation"),
    path("operations/<int:operation_id>/again", operation.again, name="again_operation"),
    path("operations/<int:operation_id>/undo", operation.undo, name="undo_operation"),
    path("steps/<uuid:step>/undo", step.undo, name="undo_step"),
    path("connectors/", connector.connectors, name="connections"),
    path("connectors/drafts/<int:connection_id>/<int:operation_id>/", connector.draft, name="draft"),
    path("connectors/drafts/<int:connection_id>/keep", connector.keep_draft, name="keep_draft"),
    path("connectors/<str:slug>/add", connector.add, name="add_connection"),
    path("connectors/<str:slug>/test", connector.test, name="test_settings"),
    path("connections/<int:connection_id>/edit", connector.edit, name="edit_connection"),
    path("connections/<int:connection_id>/threshold", connector.threshold, name="threshold"),
    path("connections/<int:connection_id>/delete", connector.delete, name="delete_connection"),
    path("products/", product.products, name="products"),
    path("products/<int:product_id>/", product.product, name="product"),
    path("find/", find.find, name="find"),
    path("find/options", find.options, name="find_options"),
    path("findings/", finding.findings, name="findings"),
    path("findings/decide", finding.decide, name="decide_findings"),
    path("findings/<int:finding_id>/", finding.finding, name="finding"),
    path("connections/<int:connection_id>/rules", rule.rules, name="rules"),
    path("connections/<int:connection_id>/rules/<int:rule_id>", rule.change_rule, name="change_rule"),
    path("inbox/suggestions/", rule.suggestions, name="suggestions"),
    path("inbox/suggestions/<int:missing_id>/<int:new_id>", rule.answer_suggestion, name="answer_suggestion"),
    path("settings/", setting.settings, name="settings"),
    path("settings/people/", setting.people, name="people"),
    path("settings/people/<int:user_id>", setting.change_person, name="change_person"),
    path("settings/tokens/", setting.tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", setting.revoke, name="revoke_token"),
    path("settings/notifications/", setting.notifications, name="notifications"),
    path("settings/notifications/<int:route_id>", setting.change_route, name="change_route"),
    path("settings/delivery/", delivery.delivery, name="delivery"),
    path("settings/delivery/try", delivery.try_destination, name="try_destination"),
    path("settings/delivery/<int:destination_id>", delivery.change_destination, name="change_destination"),
    path("settings/delivery/<int:destination_id>/edit", delivery.edit_destination, name="edit_destination"),
    path("settings/delivery/<int:destination_id>/delete", delivery.delete_destination, name="delete_destination"),
    path("settings/keys/", setting.keys, name="keys"),
    path("settings/audit/", setting.audit_log, name="audit"),
    path("styleguide", styleguide, name="styleguide"),
    path("setup", setup, name="setup"),
    path("account/", account, name="account"),
    path("account/login/", people.LoginView.as_view(extra_context={"single_sign_on": button}), name="account_login"),
    path("account/sign-on/", begin, name="sign_on"),
    path("account/sign-on/back/", come_back, name="sign_on_back"),
    path("account/logout/", people.logout, name="account_logout"),
    path("account/inactive/", people.account_inactive, name="account_inactive"),
    path("account/reauthenticate/", people.reauthenticate, name="account_reauthenticate"),
    path("account/password/change/", changing(people.password_change), name="account_change_password"),
    path("account/password/set/", changing(people.password_set), name="account_set_password"),
    path("account/sessions/", changing(sessions.list_usersessions), name="usersessions_list"),
    path("account/second-factor/", second_factor.index, name="mfa_index"),
    path("account/second-factor/authenticate/", second_factor.authenticate, name="mfa_authenticate"),
    path("account/second-factor/reauthenticate/", second_factor.reauthenticate, name="mfa_reauthenticate"),
    path("account/second-factor/app/activate/", changing(activate_app), name="mfa_activate_totp"),
    path("account/second-factor/app/deactivate/", changing(app.deactivate_totp), name="mfa_deactivate_totp"),
    path("account/second-factor/passkeys/", passkeys.list_webauthn, name="mfa_list_webauthn"),
    path("account/second-factor/passkeys/add/", changing(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path(
        "account/second-factor/passkeys/<int:pk>/remove/",
        changing(passkeys.remove_webauthn),
        name="mfa_remove_webauthn",
    ),
    path("account/second-factor/passkeys/again/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("account/login/passkey/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("account/second-factor/codes/", changing(recovery_codes.view_recovery_codes), name="mfa_view_recovery_codes"),
    path(
        "account/second-factor/codes/generate/",
        changing(recovery_codes.generate_recovery_codes),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "account/second-factor/codes/download/",
        changing(recovery_codes.download_recovery_codes),
        name="mfa_download_recovery_codes",
    ),
    path(
        "account/cancelled/",
        TemplateView.as_view(template_name="socialaccount/login_cancelled.html"),
        name="socialaccount_login_cancelled",
    ),
    *(
        path(f"account/none/{name}/", nothing, name=name)
        for name in (
            "account_signup",
            "account_email",
            "socialaccount_connections",
            "socialaccount_signup",
        )
    ),
]
