"""fad beside its peers on the same pictures: how high the left mouth corner stands over the right, measured against \
true.

    python benchmarks/peers.py draw SET                 # with fad: 100 stills, one a person, and the photographs \
with a known droop
    python benchmarks/peers.py run NAME SET             # in any environment that holds the peer and numpy, pandas, \
opencv
    python benchmarks/peers.py table SET                # with fad: writes data/peers_runs.csv

NAME: fad, mediapipe, dlib, dynaface, pyfeat, openface3. What is not installed, or lacks its models, is a row with \
the reason."""
import sys, time
from importlib.metadata import version
from pathlib import Path
import cv2, numpy as np, pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = dict(fad='fad', mediapipe='mediapipe', dlib='dlib-bin', dynaface='dynaface', pyfeat='py-feat',
    openface3='openface-test')
N, SEED, DRAWS = 100, 1, 4000

def draw(folder):
    "One still a person, and the photograph's five pictures with a known droop, with their truth in pupil distances"
    truth = pd.read_parquet(ROOT/'data/simulated/truth.parquet')
    stills = truth[truth.t_s.isna()].groupby('subject').sample(1, random_state=SEED).sample(N, random_state=SEED)
    stills = pd.DataFrame(dict(path=[f'data/simulated/{p}' for p in stills.path], true=stills.mouth_corner_height,
        set='simulated'))
    photo = pd.read_csv(ROOT/'data/photograph.csv').query('eye_closed==0 and not path.str.contains("mirrored")')
    down = photo.droop_mm/63 # the millimetres are those of a face with 63 mm between the pupils
    photo = pd.DataFrame(dict(path='data/'+photo.path, true=down.where(photo.side.eq('right'), -down),
        set='photograph'))
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat([stills, photo]).to_csv(folder/'truth.csv', index=False)

def corner_height(corners, pupils):
    "Left corner over right, across the pupils' line, in pupil distances; both (2, 2) px, the subject's left first"
    across = np.subtract(*np.asarray(pupils, float)); size = np.linalg.norm(across)
    up = np.array([across[1], -across[0]])/size # px count downwards; the subject's left lies at the picture's right
    return np.subtract(*np.asarray(corners, float))@up/size

def fad():
    from fad.faces.measures import measure_features
    from fad.faces.cohort import cohort
    from fad.faces.points import find_landmarks
    def measure(path):
        return float(measure_features(find_landmarks(cohort(path), progress=False)).mouth_corner_height.iloc[0])
    return measure

def mediapipe():
    "The same detector without anything that fad adds: one look, in the plane of the picture"
    from fad.faces.detector import detect
    from fad.faces.media import read_image
    def measure(path):
        xy = detect(read_image(path), pose=False)[0][0][:, :2]
        return corner_height(xy[[291, 61]], xy[[473, 468]])
    return measure

def dlib():
    "The 68 iBUG points that Emotrics began with, and its commissure height; enlarged, for dlib gives whole pixels"
    import dlib as d, face_recognition_models as models
    find, predict = d.get_frontal_face_detector(), d.shape_predictor(models.pose_predictor_model_location())
    def measure(path):
        image = cv2.cvtColor(cv2.resize(cv2.imread(str(path)), None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC),
            cv2.COLOR_BGR2RGB)
        small = cv2.resize(image, None, fx=.5, fy=.5, interpolation=cv2.INTER_AREA)
        boxes = find(small, 0)
        b = max(boxes, key=lambda b: b.area())
        face = predict(image, d.rectangle(*(2*v for v in (b.left(), b.top(), b.right(), b.bottom()))))
        xy = np.array([(p.x, p.y) for p in face.parts()])
        return corner_height(xy[[54, 48]], [xy[42:48].mean(0), xy[36:42].mean(0)])
    return measure

def dynaface():
    from dynaface import facial, models
    models.init_models(models.download_models(), 'cpu')
    def measure(path):
        face = facial.load_face_image(str(path), crop=False)
        xy = np.array(face.landmarks)
        return corner_height(xy[[82, 76]], xy[[97, 96]])
    return measure

def pyfeat():
    from feat import Detectorv1
    detector = Detectorv1(device='cpu', emotion_model=None, identity_model=None)
    def measure(path):
        fex = detector.detect(str(path), data_type='image', progress_bar=False)
        xy = np.c_[fex[[f'x_{i}' for i in range(68)]].iloc[0], fex[[f'y_{i}' for i in range(68)]].iloc[0]]
        return corner_height(xy[[54, 48]], [xy[42:48].mean(0), xy[36:42].mean(0)])
    return measure

def openface3():
    from openface.face_detection import FaceDetector
    from openface.landmark_detection import LandmarkDetector
    faces = FaceDetector(model_path='weights/mobilenet0.25_Final.pth', device='cpu')
    points = LandmarkDetector(model_path='weights/WFLW_STARLoss_NME_4_02_FR_2_32_AUC_0_605.pkl', device='cpu')
    def measure(path):
        _, found = faces.get_face(str(path))
        xy = np.asarray(points.detect_landmarks(cv2.imread(str(path)), found)[0])
        return corner_height(xy[[82, 76]], xy[[97, 96]])
    return measure

def run(name, folder):
    "A row a picture: what the peer measured and the processor's seconds; or one row with the reason why not"
    out = folder/f'{name}.csv'
    try: measure = globals()[name]()
    except (Exception, SystemExit) as e:
        last = str(e).strip().splitlines()[0]
        return pd.DataFrame([dict(path='', why=f'{type(e).__name__}: {last}'[:160])]).to_csv(out, index=False)
    rows = []
    for path in pd.read_csv(folder/'truth.csv').path:
        start = time.process_time()
        try: value, why = measure(ROOT/path), ''
        except Exception as e: value, why = np.nan, f'{type(e).__name__}: {e}'[:80]
        rows.append(dict(path=path, measured=value, cpu_s=time.process_time()-start, why=why))
    pd.DataFrame(rows).assign(version=version(PACKAGE[name])).to_csv(out, index=False)

def fit(true, measured): return np.corrcoef(true, measured)[0, 1], np.polyfit(true, measured, 1)[0]

def intervals(true, measured, reference):
    "95 % intervals of r, of the slope, and of r less the reference's r, from people drawn anew"
    rng, n = np.random.default_rng(SEED), len(true)
    draws = []
    for _ in range(DRAWS):
        i = rng.integers(0, n, n)
        r, slope = fit(true[i], measured[i])
        draws.append((r, slope, r-fit(true[i], reference[i])[0]))
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    return {f'{k}_{end}': v for end, values in (('low', low), ('high', high)) for k,
        v in zip(('r', 'slope', 'r_less_fad'), values)}

def table(folder):
    truth, done = pd.read_csv(folder/'truth.csv'), {n: pd.read_csv(folder/f'{n}.csv') for n in PACKAGE
        if (folder/f'{n}.csv').exists()}
    ran = {n: d.set_index('path') for n, d in done.items() if 'measured' in d}
    everywhere = truth.path[np.all([ran[n].measured.reindex(truth.path).notna() for n in ran], axis=0)]
    rows = []
    for name in PACKAGE:
        row = dict(tool=name, package=PACKAGE[name], command=f'python benchmarks/peers.py run {name} SET')
        if name not in ran: rows.append(row|dict(why=done[name].why[0] if name in done else 'not tried')); continue
        row |= dict(version=ran[name].version.iloc[0], cpu_ms=1000*ran[name].cpu_s[1:].median())
        for which, part in truth.groupby('set', sort=False):
            compared = part[part.path.isin(everywhere)]
            true, measured, reference = (x.to_numpy() for x in (compared.true,
                *(ran[n].measured.reindex(compared.path) for n in (name, 'fad'))))
            row |= {f'{which}_n': len(part),
                f'{which}_measured': int(ran[name].measured.reindex(part.path).notna().sum()),
                f'{which}_compared': len(compared)}
            row[f'{which}_r'], row[f'{which}_slope'] = fit(true, measured)
            if which == 'simulated':
                row |= dict(r_less_fad=row['simulated_r']-fit(true, reference)[0]) | intervals(true, measured,
                    reference)
        rows.append(row)
    pd.DataFrame(rows).round(4).to_csv(ROOT/'data/peers_runs.csv', index=False)
    print(pd.DataFrame(rows).round(3).T.to_string())

if __name__ == '__main__':
    what, *rest = sys.argv[1:] or sys.exit(__doc__)
    if what == 'draw': draw(Path(rest[0]))
    elif what == 'run': run(rest[0], Path(rest[1]))
    elif what == 'table': table(Path(rest[0]))
    else: sys.exit(__doc__)
