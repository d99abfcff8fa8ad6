//! The project's reference vectors: examples that Entra's documentation gives, and what follows from its rules.

use portreeve_mapping::expectations;

#[test]
fn every_vector_passes() {
    let vectors = expectations::parse(include_str!("../vectors/entra-expressions.json")).unwrap();
    let now = "2026-11-21T12:00:00Z".parse().unwrap();
    let failures: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let mismatch = vector.check(now, &|bytes| bytes.fill(7)).err()?;
            Some(format!("{}: {mismatch}", vector.expression))
        })
        .collect();
    assert!(!vectors.is_empty());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
