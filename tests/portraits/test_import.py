"""The package stands on its own."""

import subprocess
import sys


def test_imports_neither_tensorflow_nor_vaelib():
    code = (
        "import sys, portraits, portraits.__main__;"
        "portraits.render(portraits.Person.sample(0, 0), 16);"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "print(sorted(loaded & {'tensorflow', 'keras', 'vaelib', 'pandas', 'matplotlib'}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
