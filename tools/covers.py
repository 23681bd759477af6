"""Things drawn over aligned faces, with what they hide: `draw(picture, points, r)` for `tools/covering.py`.

A picture is float32 (px, px, 3), 0 to 255, with the face upright; points are its landmarks in it. Every cover returns
the picture and how much of each pixel is hidden, float32 (px, px), 0 to 1. `LOOKS` change a face and hide nothing."""
import cv2, numpy as np

OVAL = [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
        150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
JAW, LIPS = OVAL[8:29], [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185]
MOUTH, LEFT_EYE, RIGHT_EYE, NOSE = [61, 291, 13, 14], [263, 362, 386, 374], [33, 133, 159, 145], [4, 5, 195]
LEFT_BROW, RIGHT_BROW = [276, 283, 282, 295, 285], [46, 53, 52, 65, 55]

# ---- shapes and what fills them

def _pupils(points): return np.linalg.norm(points[473]-points[468])

def _fill(shape, outline, soft=0.):
    "How much of each pixel lies inside an outline (n, 2), 0 to 1"
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(outline)*16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    mask = mask.astype(np.float32)/255
    return cv2.GaussianBlur(mask, (0, 0), soft) if soft > .2 else mask

def _ellipse(at, wide, high, turn=0., power=2., n=48):
    "Outline of an ellipse, or of a rounded box where the power is larger"
    t = np.linspace(0, 2*np.pi, n, endpoint=False)
    x, y = (np.sign(f(t))*np.abs(f(t))**(2/power) for f in (np.cos, np.sin))
    c, s = np.cos(turn), np.sin(turn)
    return np.asarray(at)+np.c_[wide*x*c-high*y*s, wide*x*s+high*y*c]

def _strokes(shape, lines, width, r):
    "How much of each pixel lies under curved lines, (n, k, 2)"
    mask = np.zeros(shape[:2], np.uint8)
    for line in lines:
        cv2.polylines(mask, [np.round(line*16).astype(np.int32)], False, 255, max(1, round(width*r.uniform(.6, 1.4))),
                      cv2.LINE_AA, 4)
    return mask.astype(np.float32)/255

def _noise(shape, r, coarse):
    "Smooth noise with SD 1, coarse px across"
    small = r.normal(size=(max(2, round(shape[0]/coarse)), max(2, round(shape[1]/coarse)))).astype(np.float32)
    out = cv2.resize(small, shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return out/max(out.std(), 1e-6)

def _colour(r):
    "Any colour; greys, whites and blacks more often than by chance"
    kind = r.random()
    if kind < .3: return np.full(3, r.uniform(5, 250))+r.normal(0, 4, 3)
    if kind < .45: return np.array([r.uniform(120, 200), r.uniform(170, 220), r.uniform(190, 245)]) # a surgeon's blue
    return r.uniform(5, 250, 3)

def _skin(picture, points, r):
    "A colour like this person's cheeks, or like another's"
    at = np.clip(np.round(points[[50, 280, 151, 205, 425], :2]).astype(int), 0, len(picture)-1)
    own = np.median(picture[at[:, 1], at[:, 0]], axis=0)
    return own*r.uniform(.6, 1.35)*(1+r.normal(0, .07, 3)) if r.random() < .8 else np.array(
        [1, r.uniform(.65, .85), r.uniform(.5, .75)])*r.uniform(60, 240)

def _texture(picture, r, colour=None):
    "A picture to fill a cover with: plain, shaded, striped, noisy, or another piece of this one"
    shape, kind = picture.shape, r.integers(0, 6)
    fill = np.broadcast_to(_colour(r) if colour is None else colour, shape).astype(np.float32).copy()
    y, x = np.mgrid[:shape[0], :shape[1]].astype(np.float32)/shape[0]-.5
    angle = r.uniform(0, 6.3)
    along = np.cos(angle)*x+np.sin(angle)*y
    if kind > 0: fill *= (1+r.uniform(-.9, .9)*along+r.uniform(0, .12)*_noise(shape, r, r.uniform(8, 40)))[..., None]
    if kind == 2: fill += (np.sin(along*r.uniform(15, 120)) > r.uniform(-.5, .5))[..., None]*r.normal(0, 40, 3)
    if kind == 3: fill += _noise(shape, r, r.uniform(1, 6))[..., None]*r.normal(0, 20, 3)
    if kind == 4 and colour is None:
        flipped = picture[::-1] if r.random() < .5 else np.roll(picture, shape[0]//2, 0)
        fill = flipped*r.uniform(.5, 1.3)+r.normal(0, 15, 3)
    return fill.clip(0, 255).astype(np.float32)

def _laid(picture, fill, hidden, r):
    "A cover on a face, with a shadow beside it or not"
    if r.random() < .4:
        shift = np.float32([[1, 0, r.uniform(-4, 4)], [0, 1, r.uniform(0, 5)]])
        shadow = cv2.GaussianBlur(cv2.warpAffine(hidden, shift, hidden.shape[::-1]), (0, 0), r.uniform(1, 4))
        picture = picture*(1-r.uniform(.1, .5)*shadow[..., None])
    return picture*(1-hidden[..., None])+fill*hidden[..., None], hidden

def _grown(outline, r, out=1.06):
    "An outline a little larger and less even"
    centre = outline.mean(0)
    return centre+(outline-centre)*r.uniform(.97, out+.06)+r.normal(0, .6, outline.shape)

# ---- covers

def mask(picture, points, r):
    "A mask of cloth or paper over nose, mouth and chin; sometimes under the nose, or on the chin only"
    top = [[6, 122, 118, 123], [197, 114, 117, 123], [5, 129, 50, 123], [2, 165, 206, 187], [17, 84, 204, 192]][
        r.choice(5, p=[.2, .35, .2, .15, .1])]
    mirrored = {122: 351, 118: 347, 123: 352, 114: 343, 117: 346, 129: 358, 50: 280, 165: 391, 206: 426, 187: 411,
                84: 314, 204: 424, 192: 416}
    left = [mirrored[i] for i in top[:0:-1]]
    outline = np.r_[_grown(points[JAW, :2], r), points[top[::-1], :2], points[left[::-1], :2]]
    hull = cv2.convexHull(outline.astype(np.float32))[:, 0] if r.random() < .5 else outline
    fill, pd = _texture(picture, r), _pupils(points)
    for y in np.sort(r.uniform(points[197, 1], points[152, 1], r.integers(0, 5))): # pleats
        band = np.exp(-((np.arange(len(fill))-y)/r.uniform(.8, 2))**2)[:, None, None]
        fill = fill*(1-r.uniform(.05, .4)*band)
    round_ = 1-.35*r.random()*((np.arange(fill.shape[1])-points[4, 0])/pd/1.1)**2
    hidden = _fill(picture.shape, hull, r.uniform(0, .8))
    picture, hidden = _laid(picture, (fill*round_[None, :, None]).clip(0, 255), hidden, r)
    for ear, to in ((234, hull[hull[:, 0].argmin()]), (454, hull[hull[:, 0].argmax()])): # loops
        if r.random() < .6: cv2.line(picture, *(tuple(map(int, p)) for p in (points[ear, :2]+r.normal(0, 3, 2), to)),
                                     tuple(map(float, _colour(r))), 1, cv2.LINE_AA)
    return picture, hidden

_CORNERS, _PLACES = (61, 291), (13, 17, 4, 386, 159, 282, 52, 151, 50, 280, 205, 425, 152)

def _place(points, r, corner=.13):
    "Somewhere on the face; with the given chance at a corner of the mouth"
    return points[r.choice(_CORNERS if r.random() < corner else _PLACES), :2]

def hand(picture, points, r):
    "Fingers, a palm, or both, of skin"
    pd, at, skin = _pupils(points), _place(points, r, .45), _skin(picture, points, r)
    small = r.random() < .4 # finger tips, or a hand further away
    hidden, shade = np.zeros(picture.shape[:2], np.float32), np.zeros(picture.shape[:2], np.float32)
    turn = r.uniform(0, 6.3)
    ahead, aside = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    fingers, wide = r.integers(0, 5), pd*r.uniform(.1, .17)
    palm = r.random() < .7 or not fingers
    if palm:
        long, broad = pd*r.uniform(.35, .75), pd*r.uniform(.3, .65)
        outline = _ellipse(at-ahead*pd*.5*(fingers > 0), long*(.55 if small else 1), broad*(.55 if small else 1), turn,
                           r.uniform(2, 3))
        part = _fill(picture.shape, outline+r.normal(0, .8, (48, 2)))
        hidden, shade = np.maximum(hidden, part), np.maximum(shade, cv2.GaussianBlur(part, (0, 0), pd*.08))
    for k in range(fingers):
        root = at+aside*wide*1.75*(k-(fingers-1)/2)
        tip = root+ahead*pd*r.uniform(.5, 1.1)+aside*r.normal(0, 3)
        part = _strokes(picture.shape, [np.array([root-ahead*pd*r.uniform(0, .8), root, tip])], wide*1.8, r)
        rounded = cv2.GaussianBlur(part, (0, 0), wide*.4)
        hidden, shade = np.maximum(hidden, part), np.maximum(shade*(1-.6*part), rounded*part)
    fill = np.broadcast_to(skin, picture.shape)*(.5+.55*shade)[..., None]
    fill = fill*(1+r.uniform(0, .08)*_noise(picture.shape, r, r.uniform(2, 12)))[..., None]
    return _laid(picture, fill.clip(0, 255), hidden, r)

def hair(picture, points, r):
    "A strand before the face, or a fringe"
    pd, n = _pupils(points), r.integers(20, 90)
    top, dark = points[10, :2], np.array([1, r.uniform(.6, .95), r.uniform(.35, .95)])*r.uniform(8, 190)
    fringe = r.random() < .45
    x = r.uniform(-.95, .95, n) if fringe else r.uniform(-1.1, 1.1)+r.normal(0, r.uniform(.05, .14), n)
    down = r.uniform(.5, 1.05)+r.normal(0, .08, n) if fringe else r.uniform(1, 2.6)+r.normal(0, .2, n)
    bend, t = r.normal(0, .25), np.linspace(0, 1, 9)
    lines = [top+pd*np.c_[a+(bend+r.normal(0, .03))*t**2*np.sign(-a), -.35+d*t] for a, d in zip(x, down)]
    hidden = _strokes(picture.shape, lines, r.uniform(1, 3), r)
    streaks = 1+.35*cv2.GaussianBlur(r.normal(size=picture.shape[:2]), (0, 0), sigmaX=.7, sigmaY=9)*4
    fill = np.broadcast_to(dark, picture.shape)*streaks[..., None]
    hidden = cv2.GaussianBlur(hidden, (0, 0), .6)
    picture, hidden = _laid(picture, fill.clip(0, 255), hidden, r)
    closed = cv2.morphologyEx((hidden > .45).astype(np.float32), cv2.MORPH_CLOSE, np.ones((3, 3)))
    return picture, cv2.GaussianBlur(closed, (0, 0), .7)

def _lenses(points, r):
    "Outlines of both lenses of a pair of glasses, and what holds them"
    pd, power = _pupils(points), r.uniform(2, 4)
    wide, high, low = pd*r.uniform(.34, .47), pd*r.uniform(.2, .38), pd*r.uniform(-.02, .12)
    line = (points[263, :2]-points[33, :2])/np.linalg.norm(points[263, :2]-points[33, :2])
    turn = np.arctan2(line[1], line[0])
    out = pd*r.uniform(0, .05)
    eyes = [points[ids, :2].mean(0)+[0, low]+sign*out*line for ids, sign in ((RIGHT_EYE, -1), (LEFT_EYE, 1))]
    rings = [_ellipse(at, wide, high, turn, power) for at in eyes]
    bars = [np.array([eyes[0]+line*wide, eyes[1]-line*wide]), np.array([eyes[0]-line*wide, points[127, :2]]),
            np.array([eyes[1]+line*wide, points[356, :2]])]
    return rings, bars

def _framed(picture, rings, bars, r):
    colour, width = np.array(_colour(r))*r.choice([.2, 1]), r.uniform(.6, 3.4)
    frame = _strokes(picture.shape, [*(np.r_[ring, ring[:1]] for ring in rings), *bars], width, r)
    return picture*(1-frame[..., None])+colour*frame[..., None]

def dark_glasses(picture, points, r):
    "Sunglasses: what is behind the lenses can't be seen"
    rings, bars = _lenses(points, r)
    hidden = np.maximum(*(_fill(picture.shape, ring, .4) for ring in rings))
    dark = _colour(r)*r.uniform(.05, .6) if r.random() < .8 else _colour(r)
    fill = _texture(picture, r, np.asarray(dark))
    if r.random() < .4: fill = fill+_noise(picture.shape, r, 25)[..., None]*r.uniform(5, 25) # what they mirror
    alpha = hidden*r.uniform(.86, 1)
    picture = picture*(1-alpha[..., None])+fill.clip(0, 255)*alpha[..., None]
    return _framed(picture, rings, bars, r) if r.random() < .8 else picture, hidden

def eye_patch(picture, points, r):
    "A patch, a pad or a plaster over one eye, with its strap or without"
    pd, (ids, far) = _pupils(points), ((LEFT_EYE, 103), (RIGHT_EYE, 332))[r.integers(0, 2)]
    at = points[ids, :2].mean(0)+pd*r.normal(0, .05, 2)
    outline = _ellipse(at, pd*r.uniform(.32, .48), pd*r.uniform(.26, .42), r.normal(0, .2), r.uniform(2, 4))
    colours = [np.full(3, r.uniform(5, 50)), np.full(3, r.uniform(190, 250)), _skin(picture, points, r)]
    colour = colours[r.integers(0, 3)]
    hidden = _fill(picture.shape, outline, r.uniform(0, .7))
    if r.random() < .6:
        strap = _strokes(picture.shape, [np.array([at, points[far, :2]+r.normal(0, 4, 2)]),
                                         np.array([at, at+(at-points[far, :2])*.6])], pd*r.uniform(.02, .09), r)
        hidden = np.maximum(hidden, strap)
    return _laid(picture, _texture(picture, r, colour), hidden, r)

def half(picture, points, r):
    "One side of the face, or its lower or upper part, in the dark or grey"
    side = picture.shape[0]
    turn = r.choice([0, np.pi, np.pi/2, -np.pi/2], p=[.4, .4, .1, .1])+r.normal(0, .15)
    y, x = np.mgrid[:side, :side]-points[[4, 6], :2].mean(0)[::-1, None, None]
    beyond = np.cos(turn)*x+np.sin(turn)*y-_pupils(points)*r.normal(0, .12)
    hidden = 1/(1+np.exp(-np.clip(beyond/r.uniform(.3, 5), -30, 30)))
    if r.random() < .5: return _laid(picture, _texture(picture, r), hidden.astype(np.float32), r)
    return picture*(1-(1-r.uniform(0, .05))*hidden[..., None]), hidden.astype(np.float32) # night

def thing(picture, points, r):
    "A cup, a telephone, a microphone, a sheet of paper, a plaster: any shape of any colour"
    pd, at = _pupils(points), _place(points, r)+r.normal(0, 6, 2)
    long, short = pd*r.uniform(.25, 1.2), pd*r.uniform(.15, .8)
    outline = _ellipse(at, long, short, r.uniform(0, 3.2), r.choice([2, 2.5, 4, 12]))
    if r.random() < .3:
        wave = np.sin(np.arange(48)*r.integers(1, 4)/48*6.28+r.uniform(0, 6))
        outline = at+(outline-at)*(1+.25*wave)[:, None]
    return _laid(picture, _texture(picture, r), _fill(picture.shape, outline, r.uniform(0, 1)), r)

def oxygen(picture, points, r):
    "A clear mask: what is behind it is seen half"
    pd, centre = _pupils(points), points[[4, 17], :2].mean(0)
    outline = _ellipse(centre+[0, pd*r.uniform(-.05, .15)], pd*r.uniform(.5, .7), pd*r.uniform(.65, .95), 0,
                       r.uniform(2, 3))
    hidden, haze = _fill(picture.shape, outline, .5), r.uniform(.25, .6)
    spots = (_noise(picture.shape, r, 12) > 1.4).astype(np.float32)
    glare = cv2.GaussianBlur(spots, (0, 0), 1)*hidden*r.uniform(.2, .8)
    alpha = np.maximum(hidden*haze, glare)[..., None]
    picture = picture*(1-alpha)+r.uniform(150, 250)*alpha
    picture = picture+(cv2.GaussianBlur(picture, (0, 0), r.uniform(.5, 2))-picture)*hidden[..., None]
    straps = [np.array([outline[0], points[454, :2]]), np.array([outline[24], points[234, :2]])]
    return _framed(picture, [outline], straps, r), hidden*.5

def scarf(picture, points, r):
    "Cloth from below, up to the chin, the mouth or the nose"
    side, pd = picture.shape[0], _pupils(points)
    height = points[[152, 17, 13, 2, 5][r.integers(0, 5)], 1]
    x = np.linspace(0, side, 24)
    edge = height+pd*r.uniform(.05, .2)*np.sin(x/side*r.uniform(2, 9)+r.uniform(0, 6))
    edge = edge+((x-points[4, 0])/pd)**2*r.uniform(-9, 3)
    outline = np.r_[np.c_[x, edge], [[side, side], [0, side]]]
    return _laid(picture, _texture(picture, r), _fill(picture.shape, outline, r.uniform(0, 1.2)), r)

def bar(picture, points, r):
    "What keeps a face from being known: a bar, a blur or large squares over eyes or mouth"
    pd, at = _pupils(points), points[[168, 13, 4][r.integers(0, 3)], :2]
    hidden = _fill(picture.shape, _ellipse(at, pd*r.uniform(.6, 1.2), pd*r.uniform(.2, .4), r.normal(0, .08), 14))
    kind, side = r.integers(0, 3), picture.shape[0]
    if kind == 0:
        return _laid(picture, np.broadcast_to(np.full(3, r.choice([0., 255., 128.])), picture.shape), hidden, r)
    if kind == 1: fill = cv2.GaussianBlur(picture, (0, 0), pd*r.uniform(.15, .4))
    else:
        cells = max(2, round(side/(pd*r.uniform(.18, .4))))
        small = cv2.resize(picture, (cells, cells), interpolation=cv2.INTER_AREA)
        fill = cv2.resize(small, (side, side), interpolation=cv2.INTER_NEAREST)
    return picture*(1-hidden[..., None])+fill*hidden[..., None], hidden

COVERS = dict( # how often
    mask=(mask, .2), hand=(hand, .22), hair=(hair, .1), dark_glasses=(dark_glasses, .12), eye_patch=(eye_patch, .08),
    half=(half, .08), thing=(thing, .1), oxygen=(oxygen, .03), scarf=(scarf, .04), bar=(bar, .03))

# ---- looks that hide nothing

def clear_glasses(picture, points, r):
    rings, bars = _lenses(points, r)
    lens = np.maximum(*(_fill(picture.shape, ring, .5) for ring in rings))
    tint = lens*r.choice([0, r.uniform(0, .2)])
    glare = cv2.GaussianBlur((_noise(picture.shape, r, 9) > 2.2).astype(np.float32), (0, 0), 1.2)*lens*r.uniform(0, .5)
    picture = picture*(1-tint[..., None])+_colour(r)*tint[..., None]
    return _framed(picture*(1-glare[..., None])+240*glare[..., None], rings, bars, r)

def beard(picture, points, r):
    "Stubble, a full beard, a goatee or a moustache, dark, fair or grey"
    kind, shape = r.integers(0, 4), picture.shape
    lower = np.r_[_grown(points[JAW, :2], r, 1.08), points[[50, 205, 164, 425, 280], :2]]
    around = _ellipse(points[[13, 152], :2].mean(0), *(_pupils(points)*r.uniform(.4, .6, 2)))
    lip = np.r_[points[[61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291], :2], points[[426, 327, 2, 98, 206], :2]]
    area = [_fill(shape, lower), _fill(shape, lower), _fill(shape, around), _fill(shape, lip)][kind]
    if kind < 3 and r.random() < .8: area = np.maximum(area, _fill(shape, lip))
    lips = points[LIPS, :2]
    bare = _fill(shape, lips.mean(0)+(lips-lips.mean(0))*[1, r.uniform(.5, 1.1)])
    area = cv2.GaussianBlur(area*(1-bare), (0, 0), r.uniform(1, 5))*(1-.8*bare)
    dense = np.clip(area*r.uniform(.3, 1.3)+.25*_noise(shape, r, r.uniform(1, 3))*area, 0, r.uniform(.4, .97))
    hue = np.array([1, r.uniform(.75, 1), r.uniform(.55, 1)])*r.uniform(8, 200)
    strands = 1+.4*cv2.GaussianBlur(r.normal(size=shape[:2]), (0, 0), sigmaX=.6, sigmaY=2)*2.5
    fill = (hue*strands[..., None]).clip(0, 255)
    return picture*(1-dense[..., None])+fill*dense[..., None]

def make_up(picture, points, r):
    "Lipstick, dark lids, drawn brows"
    for ids, chance in ((LIPS, .6), (LEFT_BROW, .5), (RIGHT_BROW, .5)):
        if r.random() > chance: continue
        hull = cv2.convexHull(points[ids, :2].astype(np.float32))[:, 0]
        area = cv2.GaussianBlur(_fill(picture.shape, hull), (0, 0), 1)
        colour = r.uniform(10, 120)
        if ids is LIPS: colour = np.array([r.uniform(90, 220), r.uniform(10, 90), r.uniform(20, 110)])
        picture = picture+(colour-picture)*(area*r.uniform(.1, .75))[..., None]
    if r.random() < .5:
        shade, dark = r.uniform(.2, .9), _colour(r)*.6
        for ids in (LEFT_EYE, RIGHT_EYE):
            at, pd = points[ids, :2].mean(0), _pupils(points)
            area = cv2.GaussianBlur(_fill(picture.shape, _ellipse(at-[0, pd*.06], pd*.24, pd*.12)), (0, 0), 2)
            eye = _fill(picture.shape, _ellipse(at, pd*.19, pd*.06))
            picture = picture+(dark-picture)*(area*(1-eye)*shade)[..., None]
    return picture

def wrinkles(picture, points, r):
    "Folds and spots"
    pd, n = _pupils(points), r.integers(1, 9)
    pairs = [(129, 61), (358, 291), (61, 204), (291, 424), (67, 297), (108, 337), (33, 127), (263, 356),
             (133, 50), (362, 280)]
    lines = []
    for a, b in (pairs[i] for i in r.integers(0, len(pairs), n)):
        t = np.linspace(0, 1, 7)[:, None]
        lines.append(points[a, :2]*(1-t)+points[b, :2]*t+r.normal(0, 3, 2)+np.sin(t*3.1)*r.normal(0, pd*.07, 2))
    fold = cv2.GaussianBlur(_strokes(picture.shape, lines, r.uniform(1, 2.5), r), (0, 0), r.uniform(.5, 2))
    return picture*(1-r.uniform(.1, .7)*fold[..., None])

def shadow(picture, points, r):
    "A side, the sockets, or any part of the face in shade, so that it can still be seen"
    side, kind = picture.shape[0], r.integers(0, 3)
    y, x = (np.mgrid[:side, :side]-points[4, 1::-1][:, None, None])/_pupils(points)
    turn = r.uniform(0, 6.3)
    dark = [1/(1+np.exp(-np.clip((np.cos(turn)*x+np.sin(turn)*y)*r.uniform(1, 30), -30, 30))),
            1/(1+np.exp(-_noise(picture.shape, r, r.uniform(30, 90))*r.uniform(1, 6))), 0*x][kind]
    if kind == 2:
        for ids in (LEFT_EYE, RIGHT_EYE):
            at, pd = points[ids, :2].mean(0), _pupils(points)
            socket = _fill(picture.shape, _ellipse(at-[0, 3], pd*.3, pd*.18))
            dark = np.maximum(dark, cv2.GaussianBlur(socket, (0, 0), 4))
    return picture*(1-r.uniform(.15, .8)*dark[..., None])

def shine(picture, points, r):
    "Light that glances off nose, cheeks, forehead, chin or lips"
    pd = _pupils(points)
    for i in r.choice([4, 195, 50, 280, 151, 9, 200, 17, 205, 425], r.integers(1, 6), replace=False):
        at = points[i, :2]+r.normal(0, pd*.05, 2)
        spot = _fill(picture.shape, _ellipse(at, *(pd*r.uniform(.04, .3, 2)), r.uniform(0, 3)))
        spot = cv2.GaussianBlur(spot, (0, 0), pd*r.uniform(.03, .12))*r.uniform(.1, .9)
        picture = picture+(255-picture)*spot[..., None]
    return picture

def laugh(picture, points, r):
    "An open mouth: lips of any red, teeth, the dark behind them"
    pd, lips = _pupils(points), points[LIPS, :2]
    turn = np.arctan2(*(points[291, :2]-points[61, :2])[::-1])
    at = lips.mean(0)+[0, pd*r.uniform(-.05, .05)]
    wide, high = pd*r.uniform(.3, .52), pd*r.uniform(.1, .28)
    bow = np.c_[np.zeros(48), -r.uniform(0, .5)*high*(np.cos(np.linspace(0, 2*np.pi, 48, endpoint=False))**2)]
    outer = _fill(picture.shape, _ellipse(at, wide, high, turn, r.uniform(1.5, 2.2))+bow, .6)
    inner = _fill(picture.shape, _ellipse(at, wide*r.uniform(.7, .9), high*r.uniform(.35, .75), turn, 2)+bow, .5)
    row = _ellipse(at-[0, high*r.uniform(0, .35)], wide*.75, high*r.uniform(.2, .6), turn, 2.5)+bow
    teeth = _fill(picture.shape, row, .5)
    red = _skin(picture, points, r)*np.array([1, r.uniform(.4, .8), r.uniform(.4, .85)])
    gaps = 1-r.uniform(0, .3)*(np.cos((np.arange(len(picture))-at[0])/pd*r.uniform(35, 60)) > .8)[None, :, None]
    layers = [(red, outer*r.uniform(.6, 1)), (np.array([60, 20, 20])*r.uniform(.1, 1.5), inner),
              (np.array([1, r.uniform(.9, 1), r.uniform(.75, 1)])*r.uniform(130, 250)*gaps, teeth*inner)]
    for colour, area in layers:
        picture = picture+(colour-picture)*area[..., None]
    return picture

LOOKS = dict( # how often
    laugh=(laugh, .25), clear_glasses=(clear_glasses, .15), beard=(beard, .33), make_up=(make_up, .3),
    wrinkles=(wrinkles, .3), shadow=(shadow, .3), shine=(shine, .3))

# ---- light and camera

def camera(picture, r):
    "Another light, another camera"
    picture = picture/255
    mean = picture.mean()
    if r.random() < .8: picture = np.clip(picture, 0, 1)**r.uniform(.5, 1.8)
    if r.random() < .7: picture = (picture-mean)*r.uniform(.5, 2)+mean*r.uniform(.6, 1.5)
    if r.random() < .3: picture = picture+(picture-cv2.GaussianBlur(picture, (0, 0), 7))*r.uniform(.2, 1)
    if r.random() < .6: picture = picture*(1+r.normal(0, .1, 3))
    grey = picture@[.3, .6, .1]
    picture = grey[..., None]+(picture-grey[..., None])*(0 if r.random() < .12 else r.uniform(.3, 1.6))
    if r.random() < .5: picture = cv2.GaussianBlur(picture, (0, 0), r.uniform(.3, 2.2))
    if r.random() < .5: picture = picture+r.normal(0, r.uniform(.005, .07), picture.shape)
    if r.random() < .3: picture = picture+(picture-cv2.GaussianBlur(picture, (0, 0), 1.2))*r.uniform(.3, 2)
    out = (picture.clip(0, 1)*255).astype(np.uint8)
    if r.random() > .6: return out
    return cv2.imdecode(cv2.imencode('.jpg', out, [cv2.IMWRITE_JPEG_QUALITY, int(r.integers(15, 95))])[1], 1)

def drawn(picture, points, r, covers=None):
    "A picture with looks and covers: float32, and how much of each pixel is hidden"
    for look, chance in LOOKS.values():
        if r.random() < chance: picture = look(picture, points, r)
    names, chances = list(COVERS), np.array([c for _, c in COVERS.values()])
    if covers is None: covers = r.choice(names, r.choice([0, 1, 2], p=[.38, .54, .08]), p=chances/chances.sum())
    hidden = np.zeros(picture.shape[:2], np.float32)
    for name in covers:
        picture, more = COVERS[name][0](picture, points, r)
        hidden = np.maximum(hidden, more)
    return picture.clip(0, 255).astype(np.float32), hidden
