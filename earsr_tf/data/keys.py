"""Names of the entries of a batch: one name per thing.

Records provide `ALL`; `TARGETS` are computed from their frames.
"""

IMAGE_HIGH = 'image_high'  # [B, 128, 128, 3] float32 in [-1, 1]
WAVEFORM = 'waveform'      # [B, 64000] float32 in [-1, 1], 16 kHz
SPEAKER = 'speaker'        # [B] int32, index into DataInfo.speakers
GENDER = 'gender'          # [B] int32: 0 female, 1 male, -1 unknown
AGE = 'age'                # [B] float32 years, NaN unknown
CLIP = 'clip'              # [B] string '<speaker>/<video>/<clip>'
INDEX = 'index'            # [B] int64, position in the stream of images
# [B] bool, whether the video is one of the sixteenth, by hash of its name, that
# judges are watched by and do not learn from.
HELD_OUT = 'held_out'
# Of frozen encoders, [B, L, d] float32; `target_files` keeps them beside the
# data.
CODE = 'code'                    # z = E_h(image_high), Eqs. (3) and (5)
CODE_MIRRORED = 'code_mirrored'  # its average with the mirrored face, Eq. (4)

ALL = (IMAGE_HIGH, WAVEFORM, SPEAKER, GENDER, AGE, CLIP, INDEX, HELD_OUT)
TARGETS = (CODE, CODE_MIRRORED)
