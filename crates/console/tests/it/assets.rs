//! The files that pages ask for.

use std::collections::HashSet;

use portreeve_console::assets;

use crate::samples::{self, Words};

#[test]
fn every_file_that_a_page_asks_for_is_there() {
    for sample in samples::all(Words::PLAIN) {
        let asked = sample
            .html
            .split('"')
            .filter_map(|part| part.strip_prefix("/assets/"));
        let asked: Vec<&str> = asked.collect();
        assert!(asked.len() > 3, "{}", sample.name);
        for name in asked {
            assert!(assets::find(name).is_some(), "{}: {name}", sample.name);
        }
    }
}

#[test]
fn every_script_that_a_script_imports_is_there() {
    for asset in assets::all() {
        let text = String::from_utf8_lossy(&asset.bytes);
        for name in text.split('"').filter_map(|part| part.strip_prefix("./")) {
            assert!(assets::find(name).is_some(), "{}: {name}", asset.name);
        }
    }
}

#[test]
fn names_differ() {
    let names: HashSet<&str> = assets::all()
        .iter()
        .map(|asset| asset.name.as_str())
        .collect();
    assert_eq!(names.len(), assets::all().len());
}
