"""Writes data/real_change.csv: how often a change is claimed between pictures of healthy public figures, and of droops
that were warped into the second picture

    python tools/real_change.py SNAPSHOT/Siamese_v2/NeuroFaceDataSet COMMIT data/real_change.csv

SNAPSHOT is the public repository fatemehazad/Neuroface, a folder a person. Nothing of a picture is kept."""
import random, sys, tempfile
from pathlib import Path
import numpy as np, pandas as pd
from PIL import Image
from tqdm.auto import tqdm
from fad.faces.measures import PUPILS_MM
from fad.faces.points import read_frame
from fad.runs.extract import extract
from fad.simulator.retouch import droop
from fad.clips.change import compare_sessions, session_pictures

PEOPLE, PICTURES, DROOPS_MM = 80, 6, (4, 8)

def pairs_of_people(folder):
    "Two pictures each: of 40 men and 40 women with five pictures or more, up to three pairs a person"
    rows = []
    for sex in ('men', 'women'):
        people = [p for p in sorted((folder/sex).iterdir()) if p.is_dir() and len(list(p.iterdir())) >= 5]
        random.Random(1).shuffle(people)
        for person in people[:PEOPLE//2]:
            files = sorted(person.iterdir())[:PICTURES]
            pairs = enumerate(zip(files[::2], files[1::2]))
            rows += [(f"{sex}/{person.name}/{k}", str(file), session) for k, two in pairs
                for session, file in zip(('before', 'after'), two)]
    return pd.DataFrame(rows, columns=['subject', 'path', 'session'])

def drooped(run, folder, mm):
    "The pictures that come after, one corner of the mouth lowered, the side by turns"
    faces, rows = run.landmarks(), run.table('cohort')
    after = np.flatnonzero(rows.session.eq('after') & run.table('facial_asymmetry_functional').status.eq('ok'))
    for i in tqdm(after, desc=f'{mm} mm'):
        side = ('left', 'right')[i//2 % 2]
        image = droop(read_frame(rows.iloc[i]), faces.xyz[i].astype(float), mm/PUPILS_MM, side)
        Image.fromarray(image).save(folder/f'{i}_{mm}.png')
        rows.loc[i, 'path'] = str(folder/f'{i}_{mm}.png')
    return rows[['subject', 'path', 'session']]

def told(run, mm):
    "A row a measure: pairs, pairs that were refused, and the share of which a change is claimed, alone and together"
    found = compare_sessions(session_pictures(run))
    refused = found.reason.ne('')
    for name, own in found[~refused].groupby('measure', sort=False):
        alone = own.change_mm.abs() > 1.96*own.se_mm
        yield dict(droop_mm=mm, measure=name, people=own.subject.str.rpartition('/')[0].nunique(), pairs=len(own),
            refused=refused.sum(), claimed=alone.sum(), mean_size_mm=own.change_mm.abs().mean(),
            detectable_mm=1.96*own.se_mm.median())

if __name__ == '__main__':
    with tempfile.TemporaryDirectory() as place:
        place = Path(place)
        first = extract(pairs_of_people(Path(sys.argv[1])), place/'0')
        rows = list(told(first, 0))
        for mm in DROOPS_MM:
            table = drooped(first, place, mm)
            rows += told(extract(table, place/str(mm)), mm)
    table = pd.DataFrame(rows).assign(repository='fatemehazad/Neuroface', commit=sys.argv[2])
    table.to_csv(sys.argv[3], index=False, float_format='%.4g')
