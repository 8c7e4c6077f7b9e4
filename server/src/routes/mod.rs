//! Every path on one screen. A handler extracts, calls one service, replies.

mod accounts;
mod admin;
mod audit;
mod body;
mod caller;
mod events;
mod export_files;
mod figures;
mod handing;
mod log;
pub mod openapi;
mod order;
mod page;
mod pages;
mod photos;
mod problem;
mod push;
mod reference;
mod security;
mod stream;
mod sync;

use actix_web::HttpResponse;
use actix_web::http::{Method, header};
use actix_web::web::{self, QueryConfig, ServiceConfig};

use crate::error::Error;

pub(crate) use problem::documents;
pub(crate) use security::headers;

macro_rules! routes {
    ($($method:ident $path:literal => $handler:path,)*) => {
        /// Method and path of every route, as the API document must name them.
        pub const TABLE: &[(&str, &str)] = &[$((stringify!($method), $path)),*];

        /// Tells actix of every route.
        fn register(config: &mut ServiceConfig) {
            $(config.route($path, web::method(Method::$method).to($handler));)*
            // Behind all of them: whoever comes here named a path that is served, with a method that is not.
            $(config.service(web::resource($path).to(|| std::future::ready(wrong_method($path))));)*
        }
    };
}

routes! {
    POST    "/v1/login"                                 => accounts::login,
    POST    "/v1/enrol"                                 => accounts::enrol,
    POST    "/v1/token"                                 => accounts::token,
    POST    "/v1/logout"                                => accounts::logout,
    POST    "/v1/sync"                                  => sync::sync,
    POST    "/v1/export-files"                          => export_files::take_in,
    GET     "/v1/events"                                => events::events,
    GET     "/v1/head"                                  => log::head,
    OPTIONS "/v1/photos"                                => photos::options,
    POST    "/v1/photos"                                => photos::create,
    POST    "/v1/photos/have"                           => photos::have,
    OPTIONS "/v1/photos/{sha256}"                       => photos::options_of_one,
    HEAD    "/v1/photos/{sha256}"                       => photos::standing,
    PATCH   "/v1/photos/{sha256}"                       => photos::append,
    GET     "/v1/photos/{sha256}/alike"                 => photos::alike,
    GET     "/v1/photos/{sha256}/{version}"             => photos::show,
    GET     "/v1/logs"                                  => log::logs,
    GET     "/v1/logs/{log}/cases"                      => log::cases,
    GET     "/v1/logs/{log}/cases/{case}"               => log::case,
    GET     "/v1/logs/{log}/cases/{case}/entries"       => log::entries,
    GET     "/v1/logs/{log}/cases/{case}/notices"       => log::notices,
    GET     "/v1/logs/{log}/cases/{case}/notice"        => order::show,
    POST    "/v1/logs/{log}/cases/{case}/notice"        => order::ticket,
    POST    "/v1/logs/{log}/cases/{case}/opened"        => log::opened,
    GET     "/v1/logs/{log}/figures"                    => figures::figures,
    GET     "/v1/logs/{log}/figures/cases"              => figures::cases,
    GET     "/v1/logs/{log}/figures/published"          => figures::published,
    POST    "/v1/logs/{log}/figures/published"          => figures::publish,
    GET     "/v1/logs/{log}/figures/published/{publication}" => figures::publication,
    GET     "/v1/logs/{log}/parked"                     => log::parked,
    GET     "/v1/logs/{log}/hand-overs"                 => handing::preview,
    GET     "/v1/logs/{log}/hand-overs/{op}"            => handing::receipt,
    GET     "/v1/logs/{log}/reads"                      => log::reads,
    GET     "/v1/logs/{log}/documents/{sha256}"         => log::document,
    GET     "/v1/push"                                  => push::standing,
    PUT     "/v1/push"                                  => push::subscribe,
    DELETE  "/v1/push"                                  => push::unsubscribe,
    GET     "/v1/audit/{log}/standing"                  => audit::standing,
    GET     "/v1/audit/{log}/checkpoint"                => audit::checkpoint,
    GET     "/v1/audit/{log}/tile/entries/{index:.*}"   => audit::bundle,
    GET     "/v1/audit/{log}/tile/{level}/{index:.*}"   => audit::tile,
    GET     "/v1/audit/{log}/consistency"               => audit::consistency,
    GET     "/v1/audit/{log}/inclusion"                 => audit::inclusion,
    GET     "/v1/admin/accounts"                        => admin::accounts,
    POST    "/v1/admin/accounts"                        => admin::add,
    POST    "/v1/admin/accounts/{account}/grants"       => admin::give,
    POST    "/v1/admin/accounts/{account}/code"         => admin::code,
    POST    "/v1/admin/accounts/{account}/disable"      => admin::disable,
    GET     "/v1/admin/devices"                         => admin::devices,
    POST    "/v1/admin/devices/{device}/revoke"         => admin::revoke,
    GET     "/"                                         => page::index,
    GET     "/sw.js"                                    => page::worker,
    GET     "/manifest.webmanifest"                     => page::manifest,
    GET     "/icons/{file}"                             => page::icon,
    GET     "/assets/{file}"                            => page::asset,
    GET     "/healthz"                                  => pages::healthz,
    GET     "/readyz"                                   => pages::readyz,
    GET     "/openapi.json"                             => pages::openapi,
    GET     "/docs"                                     => pages::docs,
    GET     "/docs.css"                                 => pages::style,
    GET     "/problems/{code}"                          => pages::problem,
}

/// What a path answers to a method that it does not have.
fn wrong_method(path: &str) -> HttpResponse {
    let allowed: Vec<&str> = TABLE.iter().filter(|(_, served)| *served == path).map(|(method, _)| *method).collect();
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allowed.join(", "))).finish()
}

/// Tells actix of every route, and how its own extractors fail.
pub fn configure(config: &mut ServiceConfig) {
    config.app_data(QueryConfig::default().error_handler(|_, _| Error::invalid("query").into()));
    register(config);
}
