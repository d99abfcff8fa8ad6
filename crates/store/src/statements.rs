//! Naming statements, so that one test can prepare every SQL text of a program.

/// Declares a module's statements as constants, and `ALL`: their names and texts, for [`Store::prepare_all`](crate::Store::prepare_all).
///
/// ```
/// mod people {
///     portreeve_store::statements! {
///         /// Finds one person.
///         FIND = "SELECT id FROM people WHERE name = $1";
///         COUNT = "SELECT count(*) FROM people";
///     }
/// }
/// assert_eq!(people::ALL[1], ("COUNT", people::COUNT));
/// assert_eq!(people::FIND, people::ALL[0].1);
/// ```
#[macro_export]
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$meta])* pub(crate) const $name: &str = $sql;)+
        /// Every statement of this module: its name and its text.
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $sql)),+];
        // The list is read by tests only; this mention keeps other builds from calling it unused.
        const _: &[(&str, &str)] = ALL;
    };
}
