//! The rules of Portreeve's roll: directories, tokens, users, groups, memberships, events. All SQL is here.
