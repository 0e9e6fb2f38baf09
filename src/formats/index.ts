export type { DiskImage, ImageTarget } from './disk-image.ts';
export { FileTarget } from './file-target.ts';
export { Qcow2Image } from './qcow2-image.ts';
export { RawImage } from './raw-image.ts';
export { VHD_MAX_BYTES, VhdImage } from './vhd-image.ts';
