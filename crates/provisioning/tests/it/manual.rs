//! The manual's declarations compile, and its table has every error code with what to do.

use std::path::Path;

use portreeve_provisioning::application::{Definition, Template};
use portreeve_provisioning::engine::codes::Code;

const PAGE: &str = include_str!("../../../../docs/src/provisioning.md");

#[test]
fn every_declaration_of_the_manual_compiles() {
    let declarations: Vec<&str> = PAGE
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(declaration, _)| declaration)
        .collect();
    assert!(declarations.len() >= 3, "{declarations:?}");
    for text in declarations {
        let definition =
            Definition::from_toml(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        if let Err(error) = definition.compile("id", Path::new("/")) {
            panic!("{error}\n{text}");
        }
    }
}

#[test]
fn every_template_and_every_error_code_is_explained() {
    for template in Template::ALL {
        let row = format!("| `{template}` | ");
        assert!(PAGE.contains(&row), "{template}");
    }
    let (_, codes) = PAGE.split_once("## Error codes").unwrap();
    for code in Code::ALL {
        let name = serde_json::to_value(code).unwrap();
        let start = format!("| `{}` | ", name.as_str().unwrap());
        let row = codes.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("{code:?} is not explained"));
        assert!(row.contains(code.recommended_action()), "{row}");
    }
}
