import { describe, expect, it } from 'vitest';
import { drawSaliency, type SaliencyDrawing } from '../../../src/imaging/preprocess/draw-saliency.ts';
import type { ImagePreview } from '../../../src/imaging/preprocess/image-preview.ts';

const same = { scale: 1, offset: 0 };

function preview(rows: number, columns: number, changes: Partial<ImagePreview> = {}): ImagePreview {
  const data = new Uint8Array(rows * columns).fill(100);
  return { rows, columns, channels: 1, data, frame: 0, toTensor: { rows: same, columns: same }, ...changes };
}

function drawing(changes: Partial<SaliencyDrawing> = {}): SaliencyDrawing {
  return {
    preview: preview(2, 2),
    size: [2, 2],
    rows: [0.5, 1.5],
    columns: [0.5, 1.5],
    values: Float32Array.of(1, 0, -1, 0.5),
    strongest: 1,
    ...changes,
  };
}

function pixelAt(made: ReturnType<typeof drawSaliency>, row: number, column: number): number[] {
  const from = (row * made.columns + column) * 3;
  return [...made.data.subarray(from, from + 3)];
}

describe('a map drawn over an image', () => {
  it('covers it with orange where the score was raised, with blue where it was lowered, and nothing where nothing changed', () => {
    const made = drawSaliency(drawing());
    expect(pixelAt(made, 0, 0)).toEqual([179, 96, 30]); // 0.3 × 100 + 0.7 × (213, 94, 0)
    expect(pixelAt(made, 0, 1)).toEqual([100, 100, 100]);
    expect(pixelAt(made, 1, 0)).toEqual([30, 110, 155]); // 0.3 × 100 + 0.7 × (0, 114, 178)
    expect(pixelAt(made, 1, 1)).toEqual([140, 98, 65]); // half as much
  });

  it('has a scale below it, from the strongest blue over gray to the strongest orange', () => {
    const made = drawSaliency(drawing({ preview: preview(2, 3), columns: [0.75, 2.25], size: [2, 3] }));
    expect([made.rows, made.columns, made.channels, made.data.length]).toEqual([10, 3, 3, 90]);
    expect(pixelAt(made, 3, 1)).toEqual([0, 0, 0]);
    expect([0, 1, 2].map((column) => pixelAt(made, 9, column))).toEqual([
      [48, 128, 173],
      [160, 160, 160],
      [197, 114, 48],
    ]);
  });

  it('is drawn evenly between the centres of its grid, and as the nearest beyond them', () => {
    const made = drawSaliency(
      drawing({ preview: preview(1, 4), size: [1, 4], rows: [0.5], columns: [1, 3], values: Float32Array.of(0, 1) }),
    );
    // At 0.5, 1.5, 2.5 and 3.5: 0, 1/4, 3/4 and 1 of the cover.
    expect([0, 1, 2, 3].map((column) => pixelAt(made, 0, column)[0])).toEqual([100, 120, 159, 179]);
  });

  it('shows dark and hatched what the model did not see', () => {
    const cropped = preview(1, 4, { toTensor: { rows: same, columns: { scale: 1, offset: -2 } } });
    const made = drawSaliency(
      drawing({ preview: cropped, size: [1, 1], rows: [0.5], columns: [0.5], values: Float32Array.of(1) }),
    );
    expect([0, 1, 2, 3].map((column) => pixelAt(made, 0, column))).toEqual([
      [96, 96, 96],
      [33, 33, 33],
      [179, 96, 30],
      [33, 33, 33],
    ]);
  });

  it('has no hatched edge where the last pixels of a large image fill no whole pixel of the picture', () => {
    const made = drawSaliency(
      drawing({ preview: preview(1, 853), size: [1, 853], rows: [0.5], columns: [426.5], values: Float32Array.of(1) }),
    );
    expect([0, 425, 426].map((column) => pixelAt(made, 0, column))).toEqual(Array(3).fill([179, 96, 30]));
  });

  it('colours nothing where the strongest colour stands for nothing', () => {
    const made = drawSaliency(drawing({ values: new Float32Array(4), strongest: 0 }));
    expect(pixelAt(made, 0, 0)).toEqual([100, 100, 100]);
  });

  it('draws an image of colours in gray, so that only those of the map are seen', () => {
    const red = preview(1, 1, { channels: 3, data: Uint8Array.of(200, 0, 0) });
    const made = drawSaliency(
      drawing({ preview: red, size: [1, 1], rows: [0.5], columns: [0.5], values: Float32Array.of(0) }),
    );
    expect(pixelAt(made, 0, 0)).toEqual([60, 60, 60]);
  });

  it('is no larger than a report needs: of a large image each pixel is the mean of a square', () => {
    const data = Uint8Array.from({ length: 1024 * 2 }, (_, at) => (at % 2 === 0 ? 40 : 80));
    const made = drawSaliency(
      drawing({ preview: preview(2, 1024, { data }), size: [2, 1024], values: new Float32Array(4), strongest: 0 }),
    );
    expect([made.rows, made.columns]).toEqual([9, 512]);
    expect(pixelAt(made, 0, 511)).toEqual([60, 60, 60]);
  });

  it('is the same bytes each time', () => {
    expect(drawSaliency(drawing()).data).toEqual(drawSaliency(drawing()).data);
  });
});
