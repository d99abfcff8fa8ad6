//! The manual's sources are settings of sources, each kind among them.

use std::collections::BTreeSet;

use portreeve_provisioning::source::Settings;
use serde::Deserialize;

const PAGE: &str = include_str!("../../../../docs/src/provisioning-sources.md");

#[derive(Deserialize)]
struct Declaration {
    source: toml::Table,
}

#[test]
fn every_source_of_the_manual_is_understood() {
    let blocks = PAGE.split("```toml\n").skip(1);
    let mut kinds = BTreeSet::new();
    for block in blocks.filter_map(|rest| rest.split_once("```")) {
        let text = block.0;
        let Declaration { source } = toml::from_str(text).unwrap();
        kinds.insert(source["type"].as_str().unwrap().to_owned());
        let settings = source.try_into::<Settings>();
        settings.unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    assert_eq!(
        kinds.iter().map(String::as_str).collect::<Vec<_>>(),
        ["csv", "directory", "graph", "jsonl", "ldap"]
    );
    for kind in kinds {
        assert!(PAGE.contains(&format!("| [`{kind}`](#")), "{kind}");
    }
}
