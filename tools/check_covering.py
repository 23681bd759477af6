"""Rebuild data/covering.csv: `python tools/check_covering.py results/simulated data/covering.csv [MANIFEST NAME ...]`.

How often covered and bare places are named: on simulated people whom the network has not learned from, and on the
photographs of manifests with columns `path` and `subject`, each under the name that follows it. Only counts are
stored."""
import os, sys
os.environ.update(OMP_NUM_THREADS='1')
import cv2, numpy as np, pandas as pd
from fad.settings import load_settings
from fad.faces.covering import covering, IN_REGION, PARTLY, PLACES, WHOLLY
from fad.faces.detector import close_up
from fad.faces.errors import shipped_errors
from fad.faces.measures import features, FEATURES, REGIONS_OF
from fad.faces.media import read_image, Unreadable
from fad.faces.points import measure_face, one_thread
from fad.runs.extract import Run
from fad.simulator.scenes import Occlusion, random_scene, render
from covering import held_out
from covers import JAW

def _polygon(shape, outline, soft=1.):
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 255, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), soft).astype(np.float32)/255

def _round(at, wide, high, turn=0):
    return cv2.ellipse2Poly(tuple(np.round(at).astype(int).tolist()), (int(wide), int(high)), int(turn), 0, 360, 6)

def _cheek(image, points):
    "The colour of a person's cheeks"
    x, y = np.clip(np.round(points[[50, 280, 205, 425], :2]).astype(int).T, 0, np.array(image.shape[1::-1])[:, None]-1)
    return np.median(image[y, x], axis=0)

def _cover(image, points, kind, r):
    "What a kind of cover looks like, and the share of each pixel that it hides"
    pd, side = np.linalg.norm(points[473]-points[468]), int(r.integers(0, 2))
    eye, corner = points[(468, 473)[side], :2], points[(61, 291)[side], :2]
    grain = r.normal(0, 5, image.shape)
    if kind == 'surgical mask':
        colour = [(160, 200, 225), (240, 240, 240), (30, 30, 35), (90, 130, 170)][r.integers(0, 4)]
        outline = np.r_[points[JAW, :2], points[[50, 5, 280], :2]] if r.random() < .5 else np.r_[points[JAW, :2],
            points[[117, 6, 346], :2]]
        return np.float32(colour)+grain, _polygon(image.shape, outline, pd/90)
    if kind == 'hand over a corner':
        skin = _cheek(image, points)*r.uniform(.75, 1.15)
        fingers = [_round(corner+[k*pd*.17, r.uniform(-.1, .3)*pd], pd*.1, pd*r.uniform(.3, .5)) 
                   for k in (-1.5, -.5, .5, 1.5)]
        parts = [_polygon(image.shape, finger, pd/90) for finger in fingers]
        shade = 1-.3*sum(abs(a-cv2.GaussianBlur(a, (0, 0), pd/25)) for a in parts)[..., None]
        return skin*shade+grain, np.max(parts, axis=0)
    if kind == 'dark glasses':
        lenses = [_polygon(image.shape, _round(points[i, :2], pd*.36, pd*.27), pd/90) for i in (468, 473)]
        return np.full(3, r.uniform(5, 45))+grain, np.max(lenses, axis=0)*r.uniform(.9, 1)
    if kind == 'eye patch':
        colour = np.full(3, [20., 235.][r.integers(0, 2)])
        return colour+grain, _polygon(image.shape, _round(eye, pd*.38, pd*.32), pd/90)
    if kind == 'strand of hair':
        x = eye[0]+np.linspace(-.16, .16, 12)*pd
        hidden = np.zeros(image.shape[:2], np.uint8)
        for at in x:
            top, end = (int(at+r.normal(0, pd*.1)), int(points[10, 1]-pd*.3)), (int(at), int(points[4, 1]))
            cv2.line(hidden, top, end, 255, max(1, int(pd*.04)), cv2.LINE_AA)
        return np.array([50, 35, 25])*r.uniform(.3, 2.5)+grain*2, hidden.astype(np.float32)/255
    y, x = np.mgrid[:image.shape[0], :image.shape[1]]
    along = points[152, :2]-points[10, :2]
    beyond = ((x-points[4, 0])*along[1]-(y-points[4, 1])*along[0])/np.linalg.norm(along)*(1, -1)[side]
    hidden = (1/(1+np.exp(-np.clip(beyond/(pd*.02), -30, 30)))).astype(np.float32)
    return (np.full(image.shape, 128.) if kind == 'half grey' else image*.04), hidden

KINDS = ('surgical mask', 'hand over a corner', 'dark glasses', 'eye patch', 'strand of hair', 'half grey',
         'half in the dark')

def drawn_over(image, points, kind, r):
    fill, hidden = _cover(image, points, kind, r)
    out = image+(fill-image)*hidden[..., None]
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(60, 95))]
    return cv2.imdecode(cv2.imencode('.jpg', out.clip(0, 255).astype(np.uint8), quality)[1], 1), hidden

def true_shares(hidden, points):
    "How much of each place is really hidden"
    near = cv2.GaussianBlur(hidden, (0, 0), max(.5, np.linalg.norm(points[473]-points[468])/60))
    x, y = np.clip(np.round(points[:, :2]).astype(int).T, 0, np.array(hidden.shape[::-1])[:, None]-1)
    return {place: float(near[y[ids], x[ids]].mean()) for place, ids in PLACES.items()}

def judged(image, s, **about):
    "The judgement of a picture: a row a place"
    record, arrays = measure_face(image, 2, s)
    if record['status'] != 'ok': return None, None
    said = covering(image, arrays['xyz'].astype(float))
    return pd.DataFrame([dict(place=p, said=said[f'covered_{p}'], **about) for p in PLACES]), arrays['xyz']

def moved(bare, points, table):
    "How far measures move whose regions are partly named, in stated errors of an ordinary picture: mean square, number"
    model = shipped_errors().loc[FEATURES]
    stated = np.exp(model.constant/2)*model['any']
    said = table.set_index('place').said
    worst = {region: said[list(places)].max() for region, places in IN_REGION.items()}
    partly = [f for f in FEATURES if PARTLY <= max(worst[r] for r in REGIONS_OF[f]) < WHOLLY]
    change = (features(points)-features(bare)).iloc[0]/stated
    return float((change[partly]**2).sum()), len(partly)

def of_pictures(pictures, s, source, draw, seed=5):
    "Each picture bare, and the first `draw` of them under every kind of cover"
    rows, r = [], np.random.default_rng(seed)
    for n, (name, image) in enumerate(pictures):
        table, points = judged(image, s, source=source, kind='bare', picture=name)
        if table is None: continue
        rows.append(table.assign(true=0.))
        for kind in KINDS if n < draw else ():
            picture, hidden = drawn_over(image, points.astype(float), kind, r)
            table, found = judged(picture, s, source=source, kind=kind, picture=name)
            if table is None: rows.append(pd.DataFrame([dict(source=source, kind=kind, picture=name, place='no face')]))
            else:
                square, n = moved(points, found, table)
                table = table.assign(true=table.place.map(true_shares(hidden, found)))
                rows.append(table.assign(moved_square=square/len(table), moved_n=n/len(table)))
    return pd.concat(rows, ignore_index=True)

def simulated(run, s, most=150):
    "Bare photographs of people whom the network has not seen"
    cohort = pd.read_csv(run.path/'cohort.csv')
    cohort = cohort[cohort.occlusion.isin(['none', 'glasses']) & cohort.subject.map(held_out) & cohort.t_s.isna()]
    return ((row.frame_id, read_image(row.path)) for row in cohort.head(most).itertuples())

def rendered(s, kinds=('hand', 'hair', 'mask'), n=20, first=930000):
    "Covers of the simulator on new people, the truth from the same picture without"
    rows = []
    for kind in kinds:
        for seed in range(first, first+n):
            with_, bare = (render(random_scene(seed, occlusion=o)).astype(float)
                           for o in (Occlusion(kind, seed), Occlusion('none', seed)))
            apart = np.abs(cv2.GaussianBlur(with_-bare, (0, 0), 1.5)).max(-1)
            hidden = cv2.GaussianBlur((apart > 14).astype(np.float32), (0, 0), 1)
            table, points = judged(with_.astype(np.uint8), s, source='simulated, rendered', kind=kind, picture=seed)
            if table is not None: rows.append(table.assign(true=table.place.map(true_shares(hidden, points))))
    return pd.concat(rows, ignore_index=True)

def real(manifest):
    "Photographs of a manifest, at most 700 px a side"
    for row in pd.read_csv(manifest).itertuples():
        try: image = read_image(row.path)
        except Unreadable: continue
        yield row.path, close_up(image, 0, 0, *image.shape[1::-1], 700)[0]

def counted(table):
    "Counts by source and kind: places hidden, partly hidden and seen, and how many of each are named"
    def count(g):
        hidden, some, seen = g.true.ge(.5), g.true.between(.1, .5, inclusive='left'), g.true < .02
        named = g.said >= PARTLY
        return pd.Series(dict(pictures=g.picture.nunique(), no_face=int(g.place.eq('no face').sum()),
            hidden=int(hidden.sum()), hidden_named=int((hidden & named).sum()),
            hidden_covered=int((hidden & (g.said >= WHOLLY)).sum()),
            partly=int(some.sum()), partly_named=int((some & named).sum()),
            seen=int(seen.sum()), seen_named=int((seen & named).sum()),
            seen_covered=int((seen & (g.said >= WHOLLY)).sum()),
            pictures_named=int(g[seen & named].picture.nunique()),
            partly_moved=round(np.sqrt(g.moved_square.sum()/n), 2) if (n := g.moved_n.sum()) else np.nan))
    groups = table.groupby(['source', 'kind'], sort=False)
    return groups[['picture', 'place', 'said', 'true', 'moved_square', 'moved_n']].apply(count).reset_index()

if __name__ == '__main__':
    s, run, out, given = load_settings(), Run(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with one_thread():
        tables = [of_pictures(simulated(run, s), s, 'simulated, drawn', 30), rendered(s)]
        tables += [of_pictures(real(path), s, name, 35) for path, name in zip(given[::2], given[1::2])]
    counted(pd.concat(tables, ignore_index=True)).to_csv(out, index=False)
