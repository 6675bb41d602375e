import Foundation
import Testing

/// The kernels are compiled once per CPU level, into functions of their own. A weak function could be merged by the linker across levels,
/// and then an old CPU would meet instructions that it doesn't have: the release objects must define none.
@Suite struct KernelObjectTests {
    private static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    private static var isRelease: Bool { folder.lastPathComponent == "release" }

    private func symbols(of object: URL) throws -> [Substring] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["readelf", "-Ws", object.path]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "readelf (binutils) must be able to read \(object.path)")
        return text.split(separator: "\n")
    }

    @Test(
        .enabled(if: isRelease, "debug objects keep generic code that release builds specialise and inline"),
        arguments: ["KernelsV3", "KernelsV4"])
    func theyDefineNoWeakFunctions(module: String) throws {
        let build = Self.folder.appendingPathComponent("\(module).build")
        let objects = try FileManager.default.contentsOfDirectory(at: build, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "o" }
        try #require(!objects.isEmpty, "no objects in \(build.path)")
        let functions = try objects.flatMap(symbols).filter { $0.contains(" FUNC ") && !$0.contains(" UND ") }
        #expect(functions.filter { $0.contains(" GLOBAL ") }.count >= 1)
        let weak = functions.filter { $0.contains(" WEAK ") }
        #expect(weak.isEmpty, "\(weak.joined(separator: "\n"))")
    }
}
