//! Checks the JSON of a SCIM user from standard input and prints what a server would store:
//! `echo '{"userName": "ada", "active": "True"}' | cargo run --example validate_user`
#![expect(clippy::print_stdout, reason = "the output is what the program is for")]

use std::io::{self, Read};

use portreeve_scim::{Catalog, Notes, Profile, Resource, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body)?;
    let body = json::parse(&body, json::Limits::default())?;
    let mut notes = Notes::default();
    let user = Resource::parse(Catalog::standard().user(), body, Profile::Entra, &mut notes)?;
    println!("{}", serde_json::to_string_pretty(user.as_map())?);
    for name in notes.unknown {
        println!("ignored, because no schema has it: {name}");
    }
    Ok(())
}
