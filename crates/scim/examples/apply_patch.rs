//! Applies the SCIM PATCH from standard input to the user in a file and prints the result:
//! `cargo run --example apply_patch user.json < patch.json`
#![expect(clippy::print_stdout, reason = "the output is what the program is for")]

use std::io::{self, Read};

use portreeve_scim::{Catalog, Notes, Patch, Profile, Resource, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args()
        .nth(1)
        .ok_or("name the file with the user, and send the PATCH to standard input")?;
    let user = json::parse(&std::fs::read(file)?, json::Limits::default())?;
    let mut request = Vec::new();
    io::stdin().read_to_end(&mut request)?;
    let request = json::parse(&request, json::Limits::default())?;

    let catalog = Catalog::standard();
    let mut notes = Notes::default();
    let id = user
        .get("id")
        .and_then(|id| id.as_str())
        .unwrap_or_default()
        .to_owned();
    let mut user = Resource::parse(catalog.user(), user, Profile::Entra, &mut notes)?;
    let patch = Patch::parse(request, catalog.user(), &id, Profile::Entra, &mut notes)?;
    patch.apply(catalog.user(), &mut user)?;
    println!("{}", serde_json::to_string_pretty(user.as_map())?);
    Ok(())
}
