"""Rebuild data/real_clips.csv: `python tools/real_clips.py CLIPS KEEP data/real_clips.csv`.

CLIPS holds clips of single people, e.g. `assets/examples` of github.com/KwaiVGI/LivePortrait (driving and source).
Each is followed as it is and with a corner of the mouth that falls by 3 and 5 mm within half a second, at 55 % of its
length, on the right and on the left in turn. `delay_s`: of the first change marked on that side; `told_s`: of the
first mark on either ground, which `ground` names. `beyond`: whether the mouth is told as beyond healthy people in the
clip as it is, or, on the side that fell, in what follows the fall, watched as a clip of its own that never saw it
healthy; empty where that is too short. Only aggregates are written: no picture, no measure of a face. What was
measured stays in KEEP. A second of clip takes some two seconds of one core."""
import sys, warnings
from contextlib import ExitStack
from pathlib import Path
import numpy as np, pandas as pd
from fad.settings import load_settings
from fad.clips.events import analyse, live
from fad.clips.replay import drooped
from fad.clips.persons import follow
from fad.clips.series import measure_frames, Watch
from fad.clips.watch import GROUNDS
from fad.faces.points import clip_turn, Landmarks, track_face, trackers

RATE_HZ, AT, RISE_S, SIZES = 10., .55, .5, (0, 3, 5)
REPOSITORY, COMMIT = 'KwaiVGI/LivePortrait', '1986663be3b6902605d32200c01f4bfd36cda83d'

def series_of(path, mm, side, settings):
    "The series of a clip with a droop"
    records, arrays = [], []
    with ExitStack() as stack:
        following, turned = stack.enter_context(trackers(settings)), clip_turn(path, settings)
        for i, (t, image) in enumerate(drooped(path, mm, side, AT, RISE_S, RATE_HZ, settings)):
            record, one = track_face(image, following, round(t*1000), settings, turned)
            keys = dict(frame_id=f'{path.stem}#{i:06d}', subject='', source='', label=None, palsy=None, path='')
            records.append(keys | dict(frame=i, t_s=t) | record)
            arrays.append(one)
    stacked = {name: np.stack([one[name] for one in arrays]) for name in arrays[0]}
    return measure_frames(Landmarks(pd.DataFrame(records), **stacked), settings)

def kept(path, mm, side, settings, keep):
    "The same, read where it is there"
    file = keep/f'{path.stem}_{mm}.parquet'
    if not file.is_file(): series_of(path, mm, side, settings).to_parquet(file, index=False)
    return pd.read_parquet(file)

def beyond(series, since, sides):
    "Whether the mouth is told as beyond healthy people from then on, 1 or 0; NaN where too little is left"
    rest = series[series.t_s >= since].reset_index(drop=True)
    if not np.ptp(rest.t_s) >= Watch().healthy_s: return np.nan
    told = live(follow(rest)).query('kind == "begin" and region == "mouth"')
    return float((told.ground.eq(GROUNDS[0]) & told.side.isin(sides)).any())

def row_of(series, name, mm, side):
    "What was found in one clip"
    clip, t = analyse(series), series.t_s.to_numpy(float)
    usable = series.status.eq('ok').sum()
    begins = t[0]+AT*np.ptp(t)
    marks = clip.marks.query('kind == "begin" and region == "mouth"')
    after = marks[(marks.t_s >= begins) & marks.side.eq(side)]
    change = after[after.ground.eq(GROUNDS[1])]
    def late(found): return round(float(found.t_s.iloc[0]-begins), 2) if mm and len(found) else np.nan
    event = clip.events[clip.events.region.eq('mouth')]
    return dict(
        clip=name, droop_mm=mm, seconds=round(float(np.ptp(t)), 1), people=int(clip.series.person.max()),
        followed=round(float(clip.series.status.eq('ok').sum()/max(usable, 1)), 3), mouth_events=len(event),
        delay_s=late(change), told_s=late(after), ground=after.ground.iloc[0] if mm and len(after) else '',
        beyond=beyond(series, begins+RISE_S, [side]) if mm else beyond(series, t[0], ['left', 'right']),
        repository=REPOSITORY, commit=COMMIT)

if __name__ == '__main__':
    warnings.simplefilter('ignore')
    folder, keep, out = map(Path, sys.argv[1:4])
    keep.mkdir(parents=True, exist_ok=True)
    paths, settings = sorted(folder.rglob('*.mp4'), key=lambda path: path.stem), load_settings()
    sides = {path: ('right', 'left')[i % 2] for i, path in enumerate(paths)}
    rows = [row_of(kept(p, mm, sides[p], settings, keep), p.stem, mm, sides[p]) for mm in SIZES for p in paths]
    pd.DataFrame(rows).to_csv(out, index=False)
    print(f'{len(paths)} clips, {len(rows)} rows')
