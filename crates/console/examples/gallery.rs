//! Writes a sample of every page and the files it asks for into a folder, to be looked at without a server:
//! `cargo run -p portreeve-console --example gallery -- DIR`.

#[path = "../tests/samples/mod.rs"]
mod samples;

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use portreeve_console::assets;
use samples::Words;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1);
    let folder = PathBuf::from(folder.ok_or("say which folder to write to")?);
    fs::create_dir_all(folder.join("assets"))?;
    for asset in assets::all() {
        fs::write(folder.join("assets").join(&asset.name), &asset.bytes)?;
    }
    for (prefix, words) in [("", Words::PLAIN), ("hostile-", Words::HOSTILE)] {
        for sample in samples::all(words) {
            let name = format!("{prefix}{}.html", sample.name);
            fs::write(folder.join(name), sample.html)?;
        }
    }
    Ok(())
}
