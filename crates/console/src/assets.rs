//! The files that pages ask for: styles, scripts and the mark.
//!
//! The name of a file has a hash of its content in it, so that a browser may keep it for ever and never shows a new page
//! with old styles. Scripts are modules of the browser; where one imports another, the name with the hash is put in when
//! the files are first asked for, and so each hash covers what the file imports.

use std::io::Write;
use std::sync::LazyLock;

use flate2::{Compression, write::GzEncoder};

/// A file as it is served, at `/assets/` and its name.
#[derive(Debug)]
pub struct Asset {
    /// The name with the hash, such as `console.1f0c9a37b2e45d68.css`.
    pub name: String,
    /// The value of `Content-Type`.
    pub media_type: &'static str,
    /// The content.
    pub bytes: Vec<u8>,
    /// The content compressed, for clients that accept `gzip`.
    pub gzip: Vec<u8>,
    source: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The styles, in the order in which they are put together.
const STYLES: &[&str] = &[
    include_str!("../assets/css/tokens.css"),
    include_str!("../assets/css/base.css"),
    include_str!("../assets/css/shell.css"),
    include_str!("../assets/css/parts.css"),
    include_str!("../assets/css/pages.css"),
];

/// The scripts; whoever is imported comes before whoever imports.
const SCRIPTS: &[(&str, &str)] = &[
    ("theme.js", include_str!("../assets/js/theme.js")),
    ("dom.js", include_str!("../assets/js/dom.js")),
    ("morph.js", include_str!("../assets/js/morph.js")),
    ("times.js", include_str!("../assets/js/times.js")),
    ("refresh.js", include_str!("../assets/js/refresh.js")),
    ("live.js", include_str!("../assets/js/live.js")),
    ("preview.js", include_str!("../assets/js/preview.js")),
    ("search.js", include_str!("../assets/js/search.js")),
    ("dialogs.js", include_str!("../assets/js/dialogs.js")),
    ("copy.js", include_str!("../assets/js/copy.js")),
    ("forms.js", include_str!("../assets/js/forms.js")),
    ("palette.js", include_str!("../assets/js/palette.js")),
    ("keys.js", include_str!("../assets/js/keys.js")),
    ("passkey.js", include_str!("../assets/js/passkey.js")),
    ("print.js", include_str!("../assets/js/print.js")),
    ("console.js", include_str!("../assets/js/console.js")),
];

/// Every file.
pub fn all() -> &'static [Asset] {
    &ASSETS
}

/// The file of that name, hash and all.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The path of a file on the server, by its name without the hash.
pub fn path(source: &'static str) -> String {
    let found = ASSETS.iter().find(|asset| asset.source == source);
    let name = found.map_or(source, |asset| &asset.name);
    format!("/assets/{name}")
}

/// The paths of the scripts that `console.js` imports, for a page to ask for all of them at once.
pub(crate) fn modules() -> impl Iterator<Item = String> {
    SCRIPTS
        .iter()
        .map(|(source, _)| *source)
        .filter(|source| !matches!(*source, "theme.js" | "console.js"))
        .map(path)
}

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let mut assets = vec![
        Asset::new("console.css", CSS, STYLES.concat()),
        Asset::new(
            "mark.svg",
            SVG,
            include_str!("../assets/mark.svg").to_owned(),
        ),
    ];
    for (source, text) in SCRIPTS {
        let mut text = (*text).to_owned();
        for asset in assets.iter().filter(|asset| asset.media_type == JS) {
            let import = format!("\"./{}\"", asset.source);
            text = text.replace(&import, &format!("\"./{}\"", asset.name));
        }
        assets.push(Asset::new(source, JS, text));
    }
    assets
});

impl Asset {
    fn new(source: &'static str, media_type: &'static str, text: String) -> Self {
        let hash = hash(text.as_bytes());
        let name = match source.rsplit_once('.') {
            Some((stem, extension)) => format!("{stem}.{hash}.{extension}"),
            None => format!("{source}.{hash}"),
        };
        Self {
            name,
            media_type,
            gzip: gzip(text.as_bytes()),
            bytes: text.into_bytes(),
            source,
        }
    }
}

/// Enough of a hash that two versions of a file do not share a name.
fn hash(bytes: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let start = digest.as_ref().iter().take(8);
    start.map(|byte| format!("{byte:02x}")).collect()
}

/// Writing to memory does not fail; if it did, the bytes as they are would be served, which is always right.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
