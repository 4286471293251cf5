//! Real answers.
