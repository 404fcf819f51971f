/** Vulkan drivers that let the CPU do the work: Mesa's llvmpipe and Google's SwiftShader. */
const software = new Map([
  ['libvulkan_lvp.so', 'llvmpipe'],
  ['libvk_swiftshader.so', 'SwiftShader'],
]);

/** Other files that are Vulkan drivers: those of Mesa, NVIDIA's and AMD's own. */
const driver = /\/(libvulkan_\w+\.so|libGLX_nvidia\.so|libnvidia-vulkan-producer\.so|amdvlk\d*\.so)/;

/**
 * The name of the Vulkan driver, where a process has loaded only such as need no device; undefined otherwise. The loader
 * keeps every driver that it could start, so that one of them beside another says nothing about which is used.
 * @param maps `/proc/self/maps`
 */
export function softwareDriver(maps: string): string | undefined {
  let found: string | undefined;
  for (const line of maps.split('\n')) {
    const file = line.slice(line.lastIndexOf('/') + 1);
    const name = software.get(file);
    if (name !== undefined) found = name;
    else if (driver.test(line)) return undefined;
  }
  return found;
}
