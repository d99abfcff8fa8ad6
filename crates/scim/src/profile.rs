//! Tolerances for known clients, each named, and the profiles that group them.

/// One tolerance. What it accepts, for whom, and whether the RFC allows it stands at each variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Leniency {
    /// (helper B lists them all)
    OpCase,
}

/// A named set of [`Leniency`]s; the compatibility profile of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// RFC behaviour only.
    Strict,
    /// Everything Microsoft Entra ID needs.
    Entra,
    /// Everything Okta needs.
    Okta,
    /// Every tolerance that breaks no rule of the RFC. The default of unknown providers.
    Lenient,
}
impl Profile {
    /// Whether this profile has that tolerance.
    pub fn allows(self, _leniency: Leniency) -> bool { true }
    /// The name in settings and on screens: `strict`, `entra`, `okta`, `lenient`.
    pub fn name(self) -> &'static str { "lenient" }
    /// The profile of that name.
    pub fn by_name(_name: &str) -> Option<Self> { None }
}
