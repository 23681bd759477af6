"The package as others get it: typed, built, installed where nothing of this checkout is, used without a network."
import re, subprocess, sys, tarfile, zipfile
from pathlib import Path
import pytest

root = Path(__file__).resolve().parent.parent
def run(*args, **kw):
    return subprocess.run([str(a) for a in args], capture_output=True, text=True, **kw)

def test_types(tmp_path):
    "mypy finds nothing wrong in the exported modules"
    r = run(sys.executable, '-m', 'mypy', '--cache-dir', tmp_path, cwd=root)
    assert r.returncode == 0, r.stdout+r.stderr

@pytest.fixture(scope='module')
def built(tmp_path_factory):
    "The sdist, and the wheel that is made from it"
    out = tmp_path_factory.mktemp('dist')
    r = run(sys.executable, '-m', 'build', '--outdir', out, root)
    assert r.returncode == 0, (r.stdout+r.stderr)[-2000:]
    return next(out.glob('*.tar.gz')), next(out.glob('*.whl'))

def test_what_is_inside(built):
    "Modules, assets, types and licence in both; in the wheel nothing but the package"
    with tarfile.open(built[0]) as t: sdist = {n.partition('/')[2] for n in t.getnames()}
    with zipfile.ZipFile(built[1]) as z: wheel = set(z.namelist())
    want = {p.relative_to(root).as_posix() for p in [*(root/'fad').rglob('*.py'), *(root/'fad/assets').glob('*'),
        root/'fad/py.typed']}
    assert len(want) > 60 and {'fad/faces/media.py', 'fad/app/cli.py'} <= want
    assert not want-sdist and not want-wheel
    assert {n.split('/')[0] for n in wheel} == {'fad', next(n for n in wheel if n.endswith('METADATA')).split('/')[0]}
    assert {'LICENSE', 'README.md', 'pyproject.toml'} <= sdist and any(n.endswith('licenses/LICENSE') for n in wheel)

THREE_LINES = '''
import fad
table = fad.measure('{photo}', progress=False)
print(table.status.iloc[0], round(table.mouth_corner_height.iloc[0], 3))
print(fad.__file__)
'''

def test_installed(built, tmp_path):
    """In an environment of its own: three lines of Python and the command, without a network. The dependencies are
    lent by this environment, which alone takes minutes to fill"""
    assert run(sys.executable, '-m', 'venv', tmp_path/'env').returncode == 0
    python, = tmp_path.glob('env/bin/python') or tmp_path.glob('env/Scripts/python.exe')
    r = run(python, '-m', 'pip', 'install', '-q', '--no-deps', '--no-index', built[1])
    assert r.returncode == 0, r.stderr
    site = Path(run(python, '-c', "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    lent = [p for p in sys.path if p.endswith('site-packages')]
    (site/'lent.pth').write_text('\n'.join(lent))
    no_network = 'import socket; socket.socket.connect = socket.create_connection = None\n'
    r = run(python, '-I', '-c', no_network+THREE_LINES.format(photo=(root/'data/photograph/collins.png').as_posix()),
        cwd=tmp_path)
    assert r.returncode == 0, r.stderr
    said, where = r.stdout.splitlines()
    assert re.fullmatch(r'ok -?0\.0\d+', said) and Path(where).is_relative_to(site)
    r = run(python.with_name('fad'), '--version', cwd=tmp_path)
    assert re.fullmatch(r'fad \d+\.\d+\.\d+\n', r.stdout)
    assert run(python, '-m', 'fad', '--version', cwd=tmp_path).stdout == r.stdout
    r = run(python.with_name('fad'), 'extract', root/'data/photograph/collins.png', '--out', 'run', '--quiet',
        '--workers', 1, cwd=tmp_path)
    assert r.returncode == 0 and (tmp_path/'run/facial_asymmetry_functional.csv').is_file(), r.stderr

def test_one_name_to_install(built):
    """The distribution is `facial-asymmetry`, the module `fad`: `fad` on the package index is somebody else's, so no
    message, page or extra names it to pip"""
    assert built[1].name.startswith('facial_asymmetry-') and built[0].name.startswith('facial_asymmetry-')
    with zipfile.ZipFile(built[1]) as z: about = z.read(next(n for n in z.namelist() if n.endswith('METADATA')))
    assert b'Name: facial-asymmetry' in about
    wrong = re.compile(r"""(?<![\w.-])fad\[(sim|study|cnn|dask|lab|dev|heic)\b|pip install ['"]*fad\b"""
        r"""|\b(version|metadata|distribution)\(['"]fad['"]\)""")
    texts = [p for folder in ('nbs', 'fad', 'tools', 'data') for p in (root/folder).rglob('*')
        if p.suffix in ('.ipynb', '.py', '.md')]
    assert len(texts) > 100 and wrong.search('pip install "fad[study]"')
    assert not [p.name for p in [*texts, root/'README.md', root/'pyproject.toml'] if wrong.search(p.read_text())]

def test_names_of_a_newcomer():
    """`import fad` offers what a newcomer needs, each with a docstring and every parameter explained; a name that
    is not there is said with those that are"""
    import inspect, fad
    from fastcore.docments import docments
    assert {'measure', 'plot_face', 'extract', 'compare', 'train', 'predict', 'audit', 'reflect', 'trend',
        'study'} <= set(dir(fad))
    for name in fad.__all__:
        function = getattr(fad, name)
        explained = docments(function)
        assert inspect.getdoc(function), name
        assert not [p for p in inspect.signature(function).parameters if p not in ('args', 'kwargs')
            and not explained.get(p)], name
    with pytest.raises(AttributeError, match='measure'): fad.mesure

def test_nothing_heavy_loads_before_it_is_needed():
    "`import fad` and `fad --help` load none of the large libraries"
    for code in ('import fad', "from fad.app.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
        "from fad.app.cli import main\ntry: main(['extract', '--help'])\nexcept SystemExit: pass"):
        r = run(sys.executable, '-c', f'{code}\nimport sys; print(*sorted({{"numpy", "pandas", "cv2", "mediapipe", '
            f'"matplotlib", "torch", "sklearn"}} & set(sys.modules)), file=sys.stderr)')
        assert r.returncode == 0 and not r.stderr.strip(), (code, r.stderr)
