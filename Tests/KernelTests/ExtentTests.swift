import Kernels
import Testing

/// Debug builds stop where the extents of a kernel's arguments can't be right.
@Suite(.enabled(if: _isDebugAssertConfiguration(), "release builds don't check extents"))
struct ExtentTests {
    @Test func rowsThatOverlap() async {
        await #expect(processExitsWith: .failure) {
            let memory = KernelMemory()
            let x = memory.output("x", rows: 3, cols: 8)
            _ = SiluBackwardArguments(
                dx: MutableFloatRows(x, stride: 7), dy: FloatRows(x, stride: 8), x: FloatRows(x, stride: 8),
                extent: Extent(rows: 3, columns: 8))
        }
    }

    @Test func groupsThatDoNotDivideTheFeatures() async {
        await #expect(processExitsWith: .failure) { _ = GroupedShape(rows: 1, features: 10, groups: 4) }
    }

    @Test func aShareBeyondTheGroups() async {
        await #expect(processExitsWith: .failure) {
            _ = GroupShare(shape: GroupedShape(rows: 1, features: 10, groups: 5), groups: 3..<6)
        }
    }

    @Test func whatIsRightPasses() async {
        await #expect(processExitsWith: .success) {
            _ = GroupShare(shape: GroupedShape(rows: 0, features: 10, groups: 5), groups: 3..<5)
        }
    }
}
