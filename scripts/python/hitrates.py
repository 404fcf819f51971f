"""Writes how many training samples passed each node of a tree ensemble into its ONNX export.

    from hitrates import write_hitrates
    onnx_model = skl2onnx.to_onnx(model, ...)
    write_hitrates(onnx_model, model)

TreeSHAP (`explanation.method: tree-shap`) weighs the two sides of a branch by these counts, and the converters write 1.0
for every node (`nodes_hitrates`). Trees and nodes of both sides are walked together from their roots: the numbers are
written only where features and thresholds agree, and ValueError says where they do not.

Understood: scikit-learn's decision trees, random forests, extra trees, gradient boosting and histogram gradient boosting,
LightGBM, XGBoost (trees, not "dart" or "gblinear"; its counts are sums of hessians, as the `shap` library has it), and pipelines that end with one of them; the graph must hold exactly one TreeEnsembleClassifier or
TreeEnsembleRegressor.
"""

import json
import math
from dataclasses import dataclass


@dataclass
class Branch:
    """A node of the trained tree. `left` and `right` are None in a leaf; `left` is where `value <= threshold` goes."""

    count: float
    feature: int = -1
    threshold: float = 0.0
    left: "Branch | None" = None
    right: "Branch | None" = None


def write_hitrates(onnx_model, model):
    """Writes the counts of `model` into `onnx_model`, in place, and returns it. Raises ValueError where the trees differ."""
    node = _ensemble_of(onnx_model)
    attributes = {attribute.name: attribute for attribute in node.attribute}
    onnx_trees = _onnx_trees(attributes)
    trees = trained_trees(model)
    if len(trees) != len(onnx_trees):
        raise ValueError(f"the model has {len(trees)} trees, its ONNX export {len(onnx_trees)}")
    counts = [None] * len(attributes["nodes_nodeids"].ints)
    for (tree_id, nodes), trained in zip(sorted(onnx_trees.items()), trees):
        _write_tree(tree_id, nodes, trained, counts)
    if any(count is None for count in counts):
        raise ValueError("the ONNX export has nodes that no branch leads to")
    hitrates = attributes.get("nodes_hitrates")
    if hitrates is None:
        hitrates = node.attribute.add(name="nodes_hitrates", type=6)  # AttributeProto.FLOATS
    del hitrates.floats[:]
    hitrates.floats.extend(counts)
    return onnx_model


def trained_trees(model):
    """The trees of a trained model as Branch, in the order in which the converters write them."""
    if hasattr(model, "steps"):  # a scikit-learn pipeline
        return trained_trees(model.steps[-1][1])
    if hasattr(model, "get_booster"):  # XGBoost with scikit-learn's interface
        return trained_trees(model.get_booster())
    if hasattr(model, "get_dump"):  # an XGBoost booster
        return _of_xgboost(model)
    if hasattr(model, "booster_"):  # LightGBM with scikit-learn's interface
        return trained_trees(model.booster_)
    if hasattr(model, "dump_model"):  # a LightGBM booster
        return [_of_lightgbm(tree["tree_structure"]) for tree in model.dump_model()["tree_info"]]
    if hasattr(model, "_predictors"):  # histogram gradient boosting: one list of trees per iteration
        return [_of_histogram(tree.nodes, 0) for iteration in model._predictors for tree in iteration]
    if hasattr(model, "tree_"):
        return [_of_sklearn(model.tree_, 0)]
    if hasattr(model, "estimators_"):
        estimators = model.estimators_
        flat = estimators.ravel() if hasattr(estimators, "ravel") else estimators
        if all(hasattr(estimator, "tree_") for estimator in flat):
            return [_of_sklearn(estimator.tree_, 0) for estimator in flat]
    raise ValueError(f"a {type(model).__name__} has no trees that are understood here")


def _of_sklearn(tree, node):
    # Weighted, as the `shap` library has it: bootstrap samples and class weights count as often as they were drawn.
    count = float(tree.weighted_n_node_samples[node])
    left, right = int(tree.children_left[node]), int(tree.children_right[node])
    if left < 0:
        return Branch(count)
    feature, threshold = int(tree.feature[node]), float(tree.threshold[node])
    return Branch(count, feature, threshold, _of_sklearn(tree, left), _of_sklearn(tree, right))


def _of_histogram(nodes, index):
    node = nodes[index]
    if node["is_leaf"]:
        return Branch(float(node["count"]))
    if node["is_categorical"]:
        raise ValueError("splits by category are not understood; encode categories as numbers of their own")
    left, right = _of_histogram(nodes, int(node["left"])), _of_histogram(nodes, int(node["right"]))
    return Branch(float(node["count"]), int(node["feature_idx"]), float(node["num_threshold"]), left, right)


def _of_lightgbm(node):
    if "split_index" not in node:
        return Branch(float(node.get("leaf_count", 0)))
    if node["decision_type"] != "<=":
        raise ValueError("splits by category are not understood; encode categories as numbers of their own")
    left, right = _of_lightgbm(node["left_child"]), _of_lightgbm(node["right_child"])
    return Branch(float(node["internal_count"]), int(node["split_feature"]), float(node["threshold"]), left, right)


def _of_xgboost(booster):
    booster_type = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"]
    if booster_type != "gbtree":
        raise ValueError(f"the booster {booster_type} is not understood; understood is gbtree")
    # Without names of its own, as the converter writes columns: f0, f1, ...
    places = {name: place for place, name in enumerate(booster.feature_names or [])}

    def branch(node):
        count = float(node["cover"])
        if "leaf" in node:
            return Branch(count)
        if isinstance(node["split_condition"], list):
            raise ValueError("splits by category are not understood; encode categories as numbers of their own")
        split = node["split"]
        feature = places[split] if split in places else int(split[1:])
        children = {child["nodeid"]: branch(child) for child in node["children"]}
        return Branch(count, feature, float(node["split_condition"]), children[node["yes"]], children[node["no"]])

    return [branch(json.loads(tree)) for tree in booster.get_dump(with_stats=True, dump_format="json")]


def _ensemble_of(onnx_model):
    found = [
        node for node in onnx_model.graph.node if node.op_type in ("TreeEnsembleClassifier", "TreeEnsembleRegressor")
    ]
    if len(found) != 1:
        raise ValueError(f"the graph has {len(found)} nodes TreeEnsembleClassifier or TreeEnsembleRegressor; wanted is 1")
    return found[0]


def _onnx_trees(attributes):
    """By tree id, then node id: (place in the attributes, mode, feature, threshold, node if true, node if false)."""
    doubles = attributes.get("nodes_values_as_tensor")
    if doubles is None:
        values = attributes["nodes_values"].floats
    else:
        from onnx import numpy_helper

        values = numpy_helper.to_array(doubles.t)
    columns = zip(
        attributes["nodes_treeids"].ints,
        attributes["nodes_nodeids"].ints,
        attributes["nodes_modes"].strings,
        attributes["nodes_featureids"].ints,
        values,
        attributes["nodes_truenodeids"].ints,
        attributes["nodes_falsenodeids"].ints,
    )
    trees = {}
    for place, (tree_id, node_id, mode, feature, value, if_true, if_false) in enumerate(columns):
        trees.setdefault(tree_id, {})[node_id] = (place, mode.decode(), feature, float(value), if_true, if_false)
    return trees


def _write_tree(tree_id, nodes, trained, counts):
    children = {child for _, mode, *_, if_true, if_false in nodes.values() if mode != "LEAF" for child in (if_true, if_false)}
    roots = sorted(set(nodes) - children)
    if len(roots) != 1:
        raise ValueError(f"tree {tree_id} of the ONNX export has {len(roots)} roots")
    pairs = [(roots[0], trained)]
    while pairs:
        node_id, branch = pairs.pop()
        place, mode, feature, threshold, if_true, if_false = nodes[node_id]
        where = f"node {node_id} of tree {tree_id} of the ONNX export"
        counts[place] = branch.count
        if (mode == "LEAF") != (branch.left is None):
            raise ValueError(f"{where} is a leaf on one side only")
        if mode == "LEAF":
            continue
        if mode not in ("BRANCH_LEQ", "BRANCH_LT"):
            raise ValueError(f"{where} has the mode {mode}; understood are BRANCH_LEQ and BRANCH_LT")
        if feature != branch.feature:
            raise ValueError(f"{where} looks at column {feature}, the trained one at {branch.feature}")
        # float32 of the same number, or the float32 next to it.
        if not math.isclose(threshold, branch.threshold, rel_tol=1e-6, abs_tol=1e-30):
            raise ValueError(f"{where} has the threshold {threshold}, the trained one {branch.threshold}")
        pairs += [(if_true, branch.left), (if_false, branch.right)]
