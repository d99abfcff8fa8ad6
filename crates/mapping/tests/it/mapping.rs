//! Attribute mappings: targets, kinds of sources, what flows and what does not.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use portreeve_mapping::mapping::{Flow, Mappings, Scalar, TargetKind};
use portreeve_mapping::{Context, MappingSet, ObjectMapping, Operation};
use portreeve_scim::Catalog;

use crate::case::{NOW, object};

fn object_mapping(toml: &str) -> ObjectMapping {
    let text = format!("[[objectMappings]]\nsource = \"User\"\ntarget = \"User\"\n{toml}");
    let set: MappingSet = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    set.object_mappings.into_iter().next().unwrap()
}

/// Mappings from lines such as `target = "title"; attribute = "jobTitle"`.
fn rows(rows: &[&str]) -> ObjectMapping {
    let rows = rows.iter().map(|row| {
        format!(
            "[[objectMappings.attributeMappings]]\n{}\n",
            row.replace("; ", "\n")
        )
    });
    object_mapping(&rows.collect::<String>())
}

fn compile(mapping: &ObjectMapping) -> Result<Mappings, String> {
    let catalog = Catalog::standard();
    let resource = catalog.by_name(&mapping.target).unwrap();
    Mappings::compile(mapping, resource).map_err(|errors| {
        let errors = errors.iter().map(ToString::to_string);
        errors.collect::<Vec<_>>().join("\n")
    })
}

/// One line per attribute: `target = value`, `target dropped: why`, `target failed: why`.
fn flow(mapping: &ObjectMapping, attributes: &str, operation: Operation) -> String {
    let mappings = compile(mapping).unwrap();
    let source = object(attributes);
    let context = Context::at(NOW.parse().unwrap());
    let evaluated = mappings.evaluate(&source, &context, operation);
    let assigned = evaluated.assigned.iter().map(|assigned| {
        let value = match &assigned.value {
            Flow::Null => "null".to_owned(),
            Flow::One(one) => one.to_json().to_string(),
            Flow::Many(many) => {
                let many = many.iter().map(|one| one.to_json().to_string());
                format!("[{}]", many.collect::<Vec<_>>().join(","))
            }
        };
        let marks = [
            (assigned.only_if_empty, " if empty"),
            (assigned.additive, " added"),
            (assigned.redacted, " redacted"),
        ];
        let marks: String = marks
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, mark)| *mark)
            .collect();
        format!("{} = {value}{marks}", assigned.target.text)
    });
    let dropped = evaluated
        .dropped
        .iter()
        .map(|it| format!("{} dropped: {}", it.target.text, it.why));
    let failed = evaluated
        .failed
        .iter()
        .map(|it| format!("{} failed: {}", it.target.text, it.error));
    let ignored = evaluated.ignored.then(|| "ignored".to_owned());
    let all: Vec<String> = assigned
        .chain(dropped)
        .chain(failed)
        .chain(ignored)
        .collect();
    all.join("; ")
}

#[test]
fn sources_flow_by_their_kind() {
    for (name, row, attributes, operation, expected) in [
        (
            "direct",
            r#"target = "title"; attribute = "job""#,
            r#""job": "Boss""#,
            Operation::Update,
            r#"title = "Boss""#,
        ),
        (
            "constant",
            r#"target = "title"; constant = "a \"b\" \\d""#,
            "",
            Operation::Update,
            r#"title = "a \"b\" \\d""#,
        ),
        (
            "expression",
            r#"target = "title"; expression = "ToUpper([job])""#,
            r#""job": "x""#,
            Operation::Update,
            r#"title = "X""#,
        ),
        (
            "no source",
            r#"target = "title""#,
            "",
            Operation::Create,
            "title dropped: the mapping has neither a source nor a default value",
        ),
        (
            "default alone",
            r#"target = "title"; defaultValue = "x""#,
            "",
            Operation::Update,
            r#"title = "x" if empty"#,
        ),
        (
            "default for null, created",
            r#"target = "title"; attribute = "job"; defaultValue = "x""#,
            "",
            Operation::Create,
            r#"title = "x""#,
        ),
        (
            "default for null, updated",
            r#"target = "title"; attribute = "job"; defaultValue = "x""#,
            "",
            Operation::Update,
            "title dropped: the source has no value",
        ),
        (
            "empty text is a value",
            r#"target = "title"; attribute = "job"; defaultValue = "x""#,
            r#""job": """#,
            Operation::Create,
            r#"title = """#,
        ),
        (
            "null",
            r#"target = "title"; attribute = "job""#,
            "",
            Operation::Update,
            "title dropped: the source has no value",
        ),
        (
            "null that flows",
            r#"target = "title"; attribute = "job"; flowNulls = true"#,
            "",
            Operation::Update,
            "title = null",
        ),
        (
            "null does not flow to a new resource",
            r#"target = "title"; attribute = "job"; flowNulls = true"#,
            "",
            Operation::Create,
            "title dropped: the source has no value",
        ),
        (
            "null never flows to what is required",
            r#"target = "userName"; attribute = "upn"; flowNulls = true"#,
            "",
            Operation::Update,
            "userName dropped: the source has no value",
        ),
        (
            "required",
            r#"target = "userName"; attribute = "upn""#,
            "",
            Operation::Create,
            "userName failed: the target requires a value, and there is none",
        ),
        (
            "only on creation, created",
            r#"target = "title"; attribute = "job"; flowType = "ObjectAddOnly""#,
            r#""job": "x""#,
            Operation::Create,
            r#"title = "x""#,
        ),
        (
            "only on creation, updated",
            r#"target = "title"; attribute = "job"; flowType = "ObjectAddOnly""#,
            r#""job": "x""#,
            Operation::Update,
            "title dropped: the mapping applies only while the resource is made",
        ),
        (
            "left out",
            r#"target = "title"; expression = "IgnoreFlowIfNullOrEmpty([job])""#,
            "",
            Operation::Create,
            "title dropped: the expression leaves the attribute out",
        ),
        (
            "object skipped",
            r#"target = "objectFilter"; expression = "IIF([c]=\"UK\", \"False\", IgnoreObjectFlow)""#,
            r#""c": "US""#,
            Operation::Create,
            "ignored",
        ),
        (
            "object not skipped",
            r#"target = "objectFilter"; expression = "IIF([c]=\"UK\", \"False\", IgnoreObjectFlow)""#,
            r#""c": "UK""#,
            Operation::Create,
            "objectFilter dropped: the expression leaves the attribute out",
        ),
        (
            "failed",
            r#"target = "title"; expression = "CStr(CDate([job]))""#,
            r#""job": "x""#,
            Operation::Create,
            r#"title failed: CDate: "x" is not a date; give its format with FormatDateTime if it is one"#,
        ),
        (
            "redacted",
            r#"target = "title"; expression = "Redact([job])""#,
            r#""job": "x""#,
            Operation::Create,
            r#"title = "x" redacted"#,
        ),
        (
            "truth",
            r#"target = "active"; expression = "Not([gone])""#,
            r#""gone": "True""#,
            Operation::Update,
            "active = false",
        ),
        (
            "text that is a truth",
            r#"target = "active"; attribute = "a""#,
            r#""a": "True""#,
            Operation::Update,
            "active = true",
        ),
        (
            "text that is no truth",
            r#"target = "active"; attribute = "a""#,
            r#""a": "yes""#,
            Operation::Update,
            r#"active failed: "yes" is not True or False"#,
        ),
        (
            "several for one",
            r#"target = "title"; attribute = "a""#,
            r#""a": ["x", "y"]"#,
            Operation::Update,
            "title failed: the attribute takes one value, and there are 2",
        ),
        (
            "list",
            r#"target = "emails"; attribute = "a""#,
            r#""a": ["x", "y"]"#,
            Operation::Update,
            r#"emails = ["x","y"]"#,
        ),
        (
            "one for a list",
            r#"target = "emails"; attribute = "a""#,
            r#""a": "x""#,
            Operation::Update,
            r#"emails = ["x"]"#,
        ),
        (
            "values are added",
            r#"target = "emails"; attribute = "a"; flowType = "MultiValueAddOnly""#,
            r#""a": "x""#,
            Operation::Update,
            r#"emails = ["x"] added"#,
        ),
        (
            "roles",
            r#"target = "roles"; expression = "AppRoleAssignmentsComplex([r])""#,
            r#""r": [{"value": "adm", "displayName": "Admin"}]"#,
            Operation::Update,
            r#"roles = [{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"Admin","value":"adm"}] added"#,
        ),
        (
            "roles instead",
            r#"target = "roles"; expression = "AssertiveAppRoleAssignmentsComplex([r])""#,
            r#""r": ["adm"]"#,
            Operation::Update,
            r#"roles = [{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"adm","value":"adm"}]"#,
        ),
        (
            "number",
            r#"target = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid"; attribute = "n""#,
            r#""n": "70000""#,
            Operation::Update,
            "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid = 70000",
        ),
        (
            "no number",
            r#"target = "urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid"; attribute = "n""#,
            r#""n": "many""#,
            Operation::Update,
            r#"urn:portreeve:params:scim:schemas:extension:posix:2.0:User:uid failed: "many" is not a whole number"#,
        ),
    ] {
        assert_eq!(
            flow(&rows(&[row]), attributes, operation),
            expected,
            "{name}"
        );
    }
}

#[test]
fn targets_are_found_in_the_schemas() {
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
    let badge = "urn:ietf:params:scim:schemas:extension:Contoso:2.0:User:badge";
    for (name, target, kind, canonical) in [
        ("letter case", "USERNAME", TargetKind::Text, "userName"),
        ("part", "name.givenname", TargetKind::Text, "name.givenName"),
        (
            "slot",
            r#"emails[type eq "work"].value"#,
            TargetKind::Text,
            r#"emails[type eq "work"].value"#,
        ),
        (
            "truth in a slot",
            r#"emails[type eq "work"].primary"#,
            TargetKind::Boolean,
            r#"emails[type eq "work"].primary"#,
        ),
        (
            "slot by a truth",
            r#"roles[primary eq "True"].value"#,
            TargetKind::Text,
            r#"roles[primary eq "True"].value"#,
        ),
        (
            "letter case of a part",
            r#"addresses[type eq "other"].Formatted"#,
            TargetKind::Text,
            r#"addresses[type eq "other"].formatted"#,
        ),
        ("manager", manager, TargetKind::Reference, manager),
        ("external id", "externalId", TargetKind::Text, "externalId"),
        ("attribute of one's own", badge, TargetKind::Text, badge),
    ] {
        let mapping = rows(&[&format!("target = '{target}'; attribute = 'a'")]);
        let mappings = compile(&mapping).unwrap_or_else(|error| panic!("{name}: {error}"));
        let target = &mappings.iter().next().unwrap().target;
        assert_eq!(
            (target.kind, target.canonical.as_str()),
            (kind, canonical),
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_mapped_is_refused() {
    for (name, given, says) in [
        (
            "id",
            vec!["target = 'id'; attribute = 'a'"],
            "id: id is read-only",
        ),
        (
            "groups",
            vec!["target = 'groups'; attribute = 'a'"],
            "read-only",
        ),
        (
            "meta",
            vec!["target = 'meta.created'; attribute = 'a'"],
            "read-only",
        ),
        (
            "unknown",
            vec!["target = 'usernme'; attribute = 'a'"],
            "did you mean userName?",
        ),
        (
            "whole object",
            vec!["target = 'name'; attribute = 'a'"],
            "map one of them, such as name.formatted",
        ),
        (
            "no path",
            vec!["target = 'a b'; attribute = 'a'"],
            "expected the end of the path",
        ),
        (
            "brackets without part",
            vec!["target = 'emails[type eq \"work\"]'; attribute = 'a'"],
            "a part must follow",
        ),
        (
            "brackets that do not choose",
            vec!["target = 'emails[type ne \"work\"].value'; attribute = 'a'"],
            "choose by equality",
        ),
        (
            "brackets on one value",
            vec!["target = 'name[type eq \"work\"].givenName'; attribute = 'a'"],
            "choose by equality",
        ),
        (
            "twice",
            vec![
                "target = 'userName'; attribute = 'a'",
                "target = 'USERNAME'; attribute = 'b'",
            ],
            "another mapping",
        ),
        (
            "two sources",
            vec!["target = 'title'; attribute = 'a'; constant = 'b'"],
            "more than one of",
        ),
        (
            "wrong expression",
            vec!["target = 'title'; expression = 'ToLowr([a])'"],
            "did you mean ToLower?",
        ),
        (
            "wrong attribute",
            vec!["target = 'title'; attribute = ''"],
            "no name of an attribute",
        ),
        (
            "unique always",
            vec!["target = 'title'; expression = 'SelectUniqueValue([a], [b])'"],
            "ObjectAddOnly",
        ),
        (
            "unique matching",
            vec![
                "target = 'title'; expression = 'SelectUniqueValue([a], [b])'; flowType = 'ObjectAddOnly'; matchingPriority = 1",
            ],
            "matching",
        ),
        (
            "matching by truth",
            vec!["target = 'active'; attribute = 'a'; matchingPriority = 1"],
            "cannot be used for matching",
        ),
        (
            "switch on a manager",
            vec![
                "target = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager'; expression = 'Switch([a], [b])'",
            ],
            "Switch cannot be used on a reference",
        ),
    ] {
        let error = compile(&rows(&given))
            .err()
            .unwrap_or_else(|| panic!("{name} is not refused"));
        assert!(error.contains(says), "{name}: {error}");
    }
}

#[test]
fn every_mistake_is_reported_at_once() {
    let mapping = rows(&[
        "target = 'id'; attribute = 'a'",
        "target = 'title'; expression = '['",
    ]);
    assert_eq!(compile(&mapping).unwrap_err().lines().count(), 2);
}

#[test]
fn listed_attributes_have_the_type_that_is_said() {
    let mapping = object_mapping(
        "targetAttributes = [{ name = 'urn:x:y:User:level', type = 'Integer', required = true }]\n\
         [[objectMappings.attributeMappings]]\ntarget = 'urn:x:y:User:level'\nattribute = 'l'\n",
    );
    assert_eq!(
        flow(&mapping, r#""l": "7""#, Operation::Create),
        "urn:x:y:User:level = 7"
    );
    let missing = flow(&mapping, "", Operation::Create);
    assert_eq!(
        missing,
        "urn:x:y:User:level failed: the target requires a value, and there is none"
    );
}

#[test]
fn references_keep_the_id_of_the_source() {
    let row = "target = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager'; attribute = 'm'";
    let mapping = rows(&[row]);
    let mappings = compile(&mapping).unwrap();
    let context = Context::at(NOW.parse().unwrap());
    for attributes in [r#""m": {"$ref": "4711"}"#, r#""m": "4711""#] {
        let source = object(attributes);
        let evaluated = mappings.evaluate(&source, &context, Operation::Create);
        assert_eq!(
            evaluated.assigned[0].value,
            Flow::One(Scalar::Reference("4711".into()))
        );
    }
}

#[test]
fn matching_follows_the_precedence_and_skips_what_is_empty() {
    let mapping = rows(&[
        "target = 'userName'; attribute = 'upn'; matchingPriority = 2; defaultValue = 'nobody'",
        "target = 'externalId'; attribute = 'id'; matchingPriority = 1",
        "target = 'title'; attribute = 'job'",
    ]);
    let mappings = compile(&mapping).unwrap();
    let context = Context::at(NOW.parse().unwrap());
    for (name, attributes, expected) in [
        (
            "both",
            r#""upn": "u", "id": "i", "job": "j""#,
            vec!["externalId", "userName"],
        ),
        ("one", r#""upn": "u", "id": """#, vec!["userName"]),
        ("none", r#""job": "j""#, vec![]),
    ] {
        let source = object(attributes);
        let matches = mappings.matching(&source, &context).unwrap();
        let targets: Vec<_> = matches.iter().map(|it| it.target.text.as_str()).collect();
        assert_eq!(targets, expected, "{name}");
    }
}

#[test]
fn source_attributes_are_those_that_are_read() {
    let mapping = object_mapping(
        "scope.groups = [{ clauses = [{ attribute = 'department', operator = 'IS NOT NULL' }] }]\n\
         [[objectMappings.attributeMappings]]\ntarget = 'userName'\nexpression = 'Coalesce([mail], [upn], [mail])'\n",
    );
    assert_eq!(
        compile(&mapping).unwrap().source_attributes(),
        ["mail", "upn", "department"]
    );
}

#[test]
fn mappings_are_written_as_they_are_read() {
    let mapping = object_mapping(
        "name = 'People'\nflowTypes = ['Add', 'Update']\n\
         scope.groups = [{ name = 'g', clauses = [{ attribute = 'a', operator = 'EQUALS', values = ['x'] }] }]\n\
         [[objectMappings.attributeMappings]]\ntarget = 'userName'\nattribute = 'upn'\nmatchingPriority = 1\n\
         [[objectMappings.attributeMappings]]\ntarget = 'title'\nconstant = 'x'\nflowNulls = true\n",
    );
    let set = MappingSet {
        object_mappings: vec![mapping],
    };
    let toml = toml::to_string(&set).unwrap();
    assert_eq!(toml::from_str::<MappingSet>(&toml).unwrap(), set);
    let json = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<MappingSet>(&json).unwrap(), set);
}

#[test]
fn misspelt_settings_are_refused() {
    let text = "[[objectMappings]]\nsource = 'User'\ntarget = 'User'\nattributeMapping = []\n";
    let error = toml::from_str::<MappingSet>(text).unwrap_err().to_string();
    assert!(error.contains("attributeMapping"), "{error}");
}
