//! The page of a tablet: one document, one style, one script with the texts of all languages in it, and the small script
//! that keeps them for when the server cannot be reached.

use super::messages;
use crate::sso::page::html;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};
use portreeve_console::assets;
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
/// The page may use the camera, for the picture on a badge and to read the code of one.
const PERMISSIONS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("permissions-policy"),
    HeaderValue::from_static("camera=(self), microphone=(), geolocation=(), payment=()"),
);

/// A file whose name has a hash of its content in it.
struct File {
    path: String,
    media_type: &'static str,
    text: String,
}

struct Files {
    style: File,
    script: File,
    worker: String,
    document: String,
}

#[derive(Template)]
#[template(path = "reception.html")]
struct Document<'a> {
    style: &'a str,
    script: &'a str,
    mark: &'a str,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let style = [
        include_str!("../../../console/assets/css/tokens.css"),
        include_str!("page/reception.css"),
    ]
    .concat();
    let texts = messages::FILES.map(|(language, text)| format!("{:?}:{text}", language.code()));
    let script = format!(
        "const TEXTS = {{{}}};\n{}",
        texts.join(","),
        include_str!("page/reception.js")
    );
    let style = File::new("reception", "css", CSS, style);
    let script = File::new("reception", "js", JS, script);
    let mark = mark();
    let document = Document {
        style: &style.path,
        script: &script.path,
        mark: &mark,
    };
    let worker = format!(
        "const FILES = [{:?}, {:?}, {mark:?}];\n{}",
        style.path,
        script.path,
        include_str!("page/worker.js")
    );
    Files {
        document: document.render().unwrap_or_default(),
        worker,
        style,
        script,
    }
});

impl File {
    fn new(name: &str, extension: &str, media_type: &'static str, text: String) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let hash: String = hash
            .as_ref()
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            path: format!("/visit/assets/{name}.{hash}.{extension}"),
            media_type,
            text,
        }
    }
}

/// Where the mark is.
pub(super) fn mark() -> String {
    assets::path("mark.svg")
}

/// Where the style is.
pub(super) fn style() -> &'static str {
    &FILES.style.path
}

/// The page. It is the same for everybody and says nothing of a location.
pub(super) async fn show() -> Response {
    let mut response = html(StatusCode::OK, FILES.document.clone());
    let (name, value) = PERMISSIONS;
    response.headers_mut().insert(name, value);
    response
}

/// The style or the script.
pub(super) async fn file(Path(name): Path<String>) -> Response {
    let files = [&FILES.style, &FILES.script];
    let found = files
        .into_iter()
        .find(|file| file.path.strip_prefix("/visit/assets/") == Some(name.as_str()));
    match found {
        Some(file) => {
            let kept = "public, max-age=31536000, immutable";
            text(file.media_type, kept, &file.text)
        }
        None => (
            StatusCode::NOT_FOUND,
            "there is no such file; load the page again\n",
        )
            .into_response(),
    }
}

/// The script that keeps the page.
pub(super) async fn worker() -> Response {
    text(JS, "no-cache", &FILES.worker)
}

fn text(media_type: &'static str, kept: &'static str, text: &'static str) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    response
}
