//! The API document, made from the handlers' own annotations.

use anyhow::Context;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{
    accounts, admin, audit, events, export_files, figures, handing, log, order, page, pages, photos, push, sync,
};
use crate::error::Result;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rectify",
        description = "整改 · a city's field inspection, offline first. Errors are RFC 9457 problem documents.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        accounts::login, accounts::enrol, accounts::token, accounts::logout,
        export_files::take_in, sync::sync, events::events, log::head,
        photos::options, photos::create, photos::have, photos::options_of_one, photos::standing, photos::append,
        photos::show, photos::alike,
        log::logs, log::cases, log::case, log::entries, log::notices, log::opened, log::parked, log::reads, log::document,
        order::show, order::ticket,
        push::standing, push::subscribe, push::unsubscribe,
        figures::figures, figures::cases, figures::published, figures::publish, figures::publication,
        handing::preview, handing::receipt,
        audit::standing, audit::checkpoint, audit::bundle, audit::tile, audit::consistency, audit::inclusion,
        admin::accounts, admin::add, admin::give, admin::code, admin::disable, admin::devices, admin::revoke,
        page::index, page::worker, page::manifest, page::icon, page::asset,
        pages::healthz, pages::readyz, pages::openapi, pages::docs, pages::style, pages::problem,
    ),
    modifiers(&Bearer)
)]
struct Api;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
        let device = ApiKeyValue::with_description("Authorization", "`Device ID`: for phones that were shut out");
        components.add_security_scheme("device", SecurityScheme::ApiKey(ApiKey::Header(device)));
    }
}

/// The document as JSON text, the same on every run.
///
/// # Errors
/// Where it can't be written.
pub fn document() -> Result<String> {
    let mut text = Api::openapi().to_pretty_json().context("writing the API document")?;
    text.push('\n');
    Ok(text)
}

/// The document as a value.
///
/// # Errors
/// Where it can't be written.
pub fn value() -> Result<serde_json::Value> {
    Ok(serde_json::to_value(Api::openapi()).context("writing the API document")?)
}
