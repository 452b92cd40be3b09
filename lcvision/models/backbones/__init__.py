"""Backbones; each keeps the promises of :class:`lcvision.models.backbones.base.Backbone`."""
