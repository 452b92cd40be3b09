"""Accuracy and latency as one number."""
import math


class JointScore:
    """A metric, reduced where the latency exceeds its budget: ``metric * min(1, budget_ms / ms) ** weight``.

    With the weight of 0.07 a network at twice the budget loses 5 % of its metric.

    Args:
        metric: Name of the metric, such as 'coco/bbox_mAP'; more of it must be better.
        budget_ms: Milliseconds that cost nothing, above 0.
        weight: What exceeding them costs, at least 0; with 0 only the metric counts.
        scope: Whose milliseconds, 'net' or 'e2e'.

    Source: MnasNet (Tan et al., CVPR 2019), equations 2 and 3: ACC * (LAT / T) ** w, with w = -0.07.

    Differs: in the paper w is -0.07 on both sides of the target, or 0 below and -1 above. Here it is 0 below and
    -weight above: being quicker than asked gains nothing, and being a little too slow does not decide everything.
    """

    def __init__(self, metric: str, budget_ms: float, weight: float = 0.07, scope: str = 'net'):
        if not isinstance(metric, str) or not metric:
            raise ValueError(f"joint: metric is the name of a metric, such as 'coco/bbox_mAP', got {metric!r}")
        for name, value, least in (('budget_ms', budget_ms, 1e-9), ('weight', weight, 0.)):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < math.inf:
                raise ValueError(f'joint: {name} is a number {"of at least" if least == 0 else "above"} 0, '
                                 f'got {value!r}')
        if scope not in ('net', 'e2e'):
            raise ValueError(f"joint: scope is 'net' or 'e2e', got {scope!r}")
        self.metric, self.budget_ms, self.weight, self.scope = metric, budget_ms, weight, scope

    def __call__(self, value: float, ms: float) -> float:
        """The score of a value of the metric, at least 0, at a latency in milliseconds, above 0."""
        return float(value) * min(1., self.budget_ms / ms) ** self.weight
