//! Le Mans Ultimate by shared memory and REST.
