"""Checks what an image says of itself and writes its environment, one variable a line.

    image.py INSPECTED ENVIRONMENT     INSPECTED is what `buildah inspect --type image` printed
"""

import json
import sys

EXPECTED = {
    "User": "65532:65532",
    "Entrypoint": ["/coxa"],
    "ExposedPorts": {"8080/tcp": {}},
}


def main():
    inspected, environment = sys.argv[1:]
    with open(inspected, encoding="utf-8") as file:
        config = json.load(file)["Docker"]["config"]
    for key, expected in EXPECTED.items():
        if config.get(key) != expected:
            raise SystemExit(f"{key} is {config.get(key)}, not {expected}")
    health = config.get("Healthcheck", {}).get("Test")
    if health != ["CMD", "/coxa", "healthcheck"]:
        raise SystemExit(f"the health check is {health}")
    missing = {"title", "description", "licenses", "revision"} - {
        label.removeprefix("org.opencontainers.image.") for label in config.get("Labels", {})
    }
    if missing:
        raise SystemExit(f"these labels are missing: {sorted(missing)}")
    with open(environment, "w", encoding="utf-8") as file:
        file.writelines(f"{variable}\n" for variable in config["Env"])
    print(f"the image says what it should: {', '.join(EXPECTED)}, health check, labels")


if __name__ == "__main__":
    main()
