//! The console as people use it, in a real browser.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::{Place, Tally, counted};
use crate::cargo::root;

/// Tells all stories of tests/browser. Pictures of the screens go to `screens` in cargo's target folder.
pub(super) fn suite(place: &Place, log: &Path) -> Result<Tally> {
    let mut stories = Command::new(place.peers().join("venv/bin/node"));
    stories
        .arg(root().join("tests/browser/main.mjs"))
        .env("STORIES_PROGRAM", place.program())
        .env("STORIES_PEERS", place.peers())
        .env("STORIES_SCREENS", place.target.join("screens"))
        .env("STORIES_LOG", log.with_extension("server.log"))
        .envs([
            ("NO_PROXY", "127.0.0.1,localhost"),
            ("no_proxy", "127.0.0.1,localhost"),
        ]);
    counted(stories, log)
}
