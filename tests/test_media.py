"What a notebook cell can't hold: the whole corpus of bad input, in a process whose output is watched."
import warnings
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
