"What a notebook cell can't hold: the whole corpus of bad input, in a process whose output is watched."
import subprocess, sys, warnings
import pytest
from fad.faces.cohort import CohortWarning, cohort
from fad.faces.media import Unreadable, media_kind, read_frames, read_image
from corpus import make_corpus

def _status(row):
    "The status of a row once its pixels were asked for"
    if row.status != 'ok': return row.status
    try:
        if media_kind(row.path) == 'image': return 'ok' if read_image(row.path).ndim == 3 else 'no pixels'
        return 'ok' if next(read_frames(row.path, [row.frame]))[1] is not None else 'no pixels'
    except Unreadable as e: return f'unreadable: {e}'

def test_corpus(tmp_path, monkeypatch, capfd):
    "Every file has its row and its reason, in the order of the names, and nothing is printed by the libraries below"
    want = make_corpus(tmp_path/'in')
    capfd.readouterr()
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        warnings.simplefilter('ignore', CohortWarning)
        df = cohort('in')
        files = df.drop_duplicates('path').assign(rel=lambda d: d.path.str.removeprefix('in/'))
        got = {r.rel: _status(r) for r in files.itertuples()}
    wrong = {k: got.get(k) for k,v in want.items() if not got.get(k,
        '').startswith('ok' if v.startswith(('no_face', 'rejected')) else v)}
    assert not wrong and got.keys() == want.keys()
    assert df.frame_id.is_unique and list(files.rel) == sorted(files.rel)
    assert capfd.readouterr() == ('', '')

LARGE = """
import resource, sys
from fad.faces.media import read_image
unit = 2**20 if sys.platform == 'darwin' else 2**10
def megabytes(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/unit
before, shape = megabytes(), read_image('large.jpg').shape
print(*shape[:2], megabytes()-before)"""

def test_a_picture_at_the_limit(tmp_path):
    "A picture of 100 megapixels takes the memory of its pixels twice, and not three times"
    pytest.importorskip('resource')
    from PIL import Image
    Image.new('RGB', (10_000, 10_000), 'grey').save(tmp_path/'large.jpg')
    done = subprocess.run([sys.executable, '-c', LARGE], cwd=tmp_path, capture_output=True, text=True)
    height, width, more = map(float, done.stdout.split())
    assert (height, width) == (10_000, 10_000) and more < 2.3*300e6/2**20, done.stderr
