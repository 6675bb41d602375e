import Model
import Testing

/// Gradients of whole models against the slopes of their loss, tensor by tensor.
@Suite struct GradientTests {
    @Test(arguments: [
        SmallModel { _ in }, SmallModel { ($0.swiglu, $0.normAffine, $0.twoHopResidual) = (false, false, true) },
        SmallModel { ($0.rescaleNFFN, $0.scaleEmbeddings, $0.tieEmbeddings, $0.bosID) = (true, true, true, 0) },
    ])
    func theyAreTheSlopesOfTheLoss(model: SmallModel) { expectSlopes(of: model) }
}
