//! Runs the commands that the documentation shows.
//!
//! A fenced block with the info string `sh test` is a command a reader may type. The blocks of one page run in
//! order, in one shell, against a fresh server that has nothing in it; the page shows the default address, which
//! is replaced by that of the server.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{files, root};
use crate::server::Server;
use crate::suites::{Place, Tally, logged};

/// The address in the documentation, where a server without options listens.
const SHOWN: &str = "127.0.0.1:8460";
/// That of metrics.
const METRICS: &str = "127.0.0.1:8462";

/// Runs every page that has such blocks.
pub(crate) fn suite(place: &Place, log: &Path) -> Result<Tally> {
    let mut total = Tally::default();
    for page in files()?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|it| it == "md"))
    {
        let blocks = blocks(&fs::read_to_string(root().join(&page))?);
        if blocks.is_empty() {
            continue;
        }
        let done =
            run_page(place, log, &page, &blocks).with_context(|| page.display().to_string())?;
        total.passed += done;
        if done < blocks.len() as u64 {
            // What comes after a failed command was not run: it counts as one failure.
            total.failed += 1;
        }
    }
    Ok(total)
}

/// How many of the page's blocks went through.
fn run_page(place: &Place, log: &Path, page: &Path, blocks: &[Block]) -> Result<u64> {
    let scratch = place.scratch("docs");
    let (work, marker) = (scratch.join("work"), scratch.join("blocks-done"));
    let server = Server::start(
        &place.program(),
        scratch.join("data"),
        &log.with_extension("server.log"),
    )?;
    fs::create_dir_all(&work)?;
    let mut shell = Command::new("bash");
    shell
        .arg("-c")
        .arg(
            format!("cd '{}'\n{}", work.display(), script(page, blocks, &marker))
                .replace(SHOWN, &server.address)
                .replace(METRICS, &server.metrics),
        )
        .env("PATH", search_path(&place.program())?)
        .env("PORTREEVE_DATA", server.data())
        .envs([("NO_PROXY", "127.0.0.1"), ("no_proxy", "127.0.0.1")]);
    logged(shell, log)?;
    let done = fs::read_to_string(&marker)
        .unwrap_or_default()
        .lines()
        .count();
    server.stop()?;
    fs::remove_dir_all(&scratch)?;
    Ok(done as u64)
}

/// One script that stops at the first failure, names each block as it starts, and leaves a line in the marker
/// file for each that ended well.
fn script(page: &Path, blocks: &[Block], marker: &Path) -> String {
    let mut script = String::from("set -euo pipefail\n");
    for block in blocks {
        // Writing to a String cannot fail.
        let _ = writeln!(script, "echo '# {}:{}'", page.display(), block.line);
        let _ = writeln!(script, "{}", block.text);
        let _ = writeln!(script, "echo done >> '{}'", marker.display());
    }
    script
}

/// The search path with the program's folder in front.
#[expect(
    clippy::disallowed_methods,
    reason = "the search path of the person who runs the tests is not a setting of the product"
)]
fn search_path(program: &Path) -> Result<std::ffi::OsString> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folder: PathBuf = program.parent().unwrap_or(root()).to_owned();
    Ok(std::env::join_paths(
        std::iter::once(folder).chain(std::env::split_paths(&path)),
    )?)
}

/// A fenced block to be run.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    /// Of the fence, counted from 1.
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match &mut open {
            None if line.trim_end() == "```sh test" => {
                open = Some(Block {
                    line: index + 1,
                    text: String::new(),
                });
            }
            None => {}
            Some(_) if line.starts_with("```") => blocks.extend(open.take()),
            Some(block) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::{Block, blocks};

    #[test]
    fn only_marked_blocks_are_run() {
        let page = "# Title\n```sh\nrm -rf data\n```\ntext\n```sh test\nportreeve version\ncurl x\n```\n```json\n{}\n```\n";
        let expected = Block {
            line: 6,
            text: "portreeve version\ncurl x\n".to_owned(),
        };
        assert_eq!(blocks(page), [expected]);
    }
}
