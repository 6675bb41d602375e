// What libFuzzer calls; jobs/fuzz.sh builds it with the readers' sources, outside the package. The first byte chooses
// the reader: one corpus for all.

import JSON

@_cdecl("LLVMFuzzerTestOneInput")
public func readHostileBytes(_ data: UnsafeRawPointer, _ count: Int) -> CInt {
    let input = UnsafeRawBufferPointer(start: data, count: count)
    guard let kind = input.first else { return 0 }
    let bytes = UnsafeRawBufferPointer(rebasing: input[1...])
    switch kind {
    case UInt8(ascii: "s"): readSafetensors(bytes)
    case UInt8(ascii: "m"): readManifest(bytes)
    default: _ = try? JSONParser.parse(bytes)
    }
    return 0
}

/// What is accepted tiles the buffer, and every tensor's shape is its bytes.
private func readSafetensors(_ bytes: UnsafeRawBufferPointer) {
    guard let header = try? SafetensorsHeader(bytes, file: "fuzz") else { return }
    var covered = 0
    for entry in header.entries {
        precondition(entry.range.lowerBound >= 0 && header.bufferStart + entry.range.upperBound <= bytes.count)
        precondition(TensorEntry.byteCount(type: entry.type, shape: entry.shape) == entry.range.count)
        covered += entry.range.count
    }
    precondition(covered == bytes.count - header.bufferStart)
}

/// What is accepted names files within their folder.
private func readManifest(_ bytes: UnsafeRawBufferPointer) {
    guard let root = try? JSONParser.parse(bytes), let fields = try? ManifestFields(root, file: "fuzz"),
        let manifest = try? Manifest(fields)
    else { return }
    precondition(manifest.step >= 0 && manifest.size >= 0)
    for file in manifest.files {
        precondition(!file.name.contains("/") && !file.name.hasPrefix(".") && file.name != Manifest.name)
    }
}
