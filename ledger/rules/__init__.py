"""Pure rules of the ledger: canonical bytes, Merkle hashes, signed notes."""
