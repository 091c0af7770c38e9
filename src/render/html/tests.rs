//! The page: its text is text, its data come back, its policy allows its own script and nothing else.
