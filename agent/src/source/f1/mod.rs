//! F1 25 by UDP.
