import type { Kernel } from './kernel-interface.ts';
import { plainKernel } from './kernel-plain.ts';
import { openSimdKernel } from './kernel-simd.ts';
import { kernelModuleBase64 } from './kernel.generated.ts';

/** The fastest kernel this process can run. */
export const kernel: Kernel = openSimdKernel(Buffer.from(kernelModuleBase64, 'base64')) ?? plainKernel;
