//! Tests of the token store as tasks and processes share it. Two stores in one process exclude each other as two
//! processes do; where a process has to die, the test binary runs itself.
