# Every recipe is plain commands, so that nobody needs `just`.

# List what can be done
_default:
    @just --list

# Serve at http://localhost:8080
run:
    cargo run --release

# All that must pass before a commit
check: lint test

# Format and lints, warnings refused
lint:
    cargo fmt --all --check
    cargo clippy --all-targets --locked -- -D warnings

# Test
test:
    cargo test

# Rewrite the committed OpenAPI document
openapi:
    UPDATE_OPENAPI=1 cargo test --test openapi

# Rewrite the figures of the model card, then the document, whose examples hold them
model-card:
    UPDATE_MODEL_CARD=1 cargo test --test evaluation
    UPDATE_OPENAPI=1 cargo test --test openapi

# How good the answers are on the vignettes, and how good the interview is
evaluate:
    cargo run --release --quiet -- evaluate tests/vignettes/development.jsonl
    cargo run --release --quiet -- evaluate --interview

# Show what the service promises, and write the figures of RELIABILITY.md
prove:
    .ci/run tools
    .ci/prove

# Check the catalogue alone, for a curator
catalogue:
    cargo run --quiet -- check catalogue

# Build the container image
image:
    docker build --build-arg COXA_COMMIT="$(git rev-parse --short HEAD)" --tag coxa .
